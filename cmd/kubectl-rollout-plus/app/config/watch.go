package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/watch"
)

const configWatchExample = `  # Roll out every edit of the ConfigMap web and the Secret login
  kubectl rollout-plus config watch web secret/login

  # Roll out edits of everything that workloads reference, in two steps
  kubectl rollout-plus config watch --steps 50%`

type configWatchFlags struct {
	configuration.ChangeFlags
	kind     configuration.KindFlag
	debounce time.Duration
}

func newConfigWatchCommand(env *cli.Env) *cobra.Command {
	f := &configWatchFlags{}
	cmd := &cobra.Command{
		Use:   "watch [[TYPE/]NAME...]",
		Short: "Roll out every edit of ConfigMaps and Secrets until interrupted",
		Long: "Stay in the foreground and roll out every edit of ConfigMaps and Secrets. Watch\n" +
			"the named objects, or all that the namespace's workloads reference. After an\n" +
			"edit, roll out the workloads whose pods do not run with it, one after another,\n" +
			"as restart --config does.\n\n" +
			"At the start, catch up with earlier edits: as restart --config does for named\n" +
			"objects, and as restart --stale does otherwise. Edits that follow each other\n" +
			"closely make one rollout, and so do edits during a rollout. An edit that is\n" +
			"taken back makes none.\n\n" +
			"If a rollout fails, the workload goes back. The object goes back too, unless\n" +
			"somebody has changed it since or other workloads use it. The failed edit is not\n" +
			"tried again until the object changes. A rollout that could not begin is tried\n" +
			"again after a growing delay.\n\n" +
			"Ctrl-C or SIGTERM ends the command, with code 0 between rollouts. During a\n" +
			"rollout, the rollout stays at its step, and the exit code is 129, 130 or 143.",
		Example: configWatchExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.Add(cmd)
	cmd.Flags().DurationVar(&f.debounce, "debounce", 2*time.Second, "How long to wait after the last edit before rolling it out.")
	f.AddMode(cmd)
	f.AddWithoutTimeout(cmd)
	return cmd
}

func (f *configWatchFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	if f.debounce < 0 {
		return cli.FlagError("debounce", f.debounce.String(), cli.ErrNegative)
	}
	var named []configmap.Object
	for _, argument := range args {
		object, err := f.kind.Object(argument)
		if err != nil {
			return cli.UsageError(err)
		}
		if !slices.Contains(named, object) {
			named = append(named, object)
		}
	}
	namespace, err := env.CurrentNamespace()
	if err != nil {
		return err
	}
	c, err := f.NewChanger(env, namespace) // reports invalid flags at once
	if err != nil {
		return err
	}
	f.Yes = true
	w := &configWatcher{
		ConfigSession: c.ConfigSession, flags: &f.ChangeFlags, named: named, objects: informer.NewObjects(env.Clock, nil),
		edits: &watch.Edits{Quiet: f.debounce}, cached: map[configmap.Object]*store.State{}, postponed: map[configmap.Object]postponed{},
		lost:        map[configmap.Object]*store.State{},
		onlySecrets: f.kind.Secret,
	}
	if err := w.watch(ctx); err != nil {
		return w.stopped(err)
	}
	return w.run(ctx)
}

// watch adds the watches. Each named object gets a watch of its own. Without names, it watches all objects except what
// tools store in Secrets. That includes versions, since labels alone do not distinguish a version from an object made from
// one.
func (w *configWatcher) watch(ctx context.Context) error {
	for _, object := range w.named {
		err := w.watchKind(ctx, object.Kind, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, object.Name).String()})
		if err != nil {
			return err
		}
	}
	if len(w.named) > 0 {
		return nil
	}
	var all metav1.ListOptions
	if !w.onlySecrets {
		if err := w.watchKind(ctx, configmap.ConfigMap, all); err != nil {
			return err
		}
	}
	all.FieldSelector = "type!=helm.sh/release.v1,type!=" + string(corev1.SecretTypeServiceAccountToken)
	err := w.watchKind(ctx, configmap.Secret, all)
	if apierrors.IsForbidden(err) && !w.onlySecrets {
		w.blind = true
		_, _ = fmt.Fprintf(w.Env.ErrOut, "warning: Secrets are not watched: %v\n", err)
		return nil
	}
	return err
}

func (w *configWatcher) watchKind(ctx context.Context, kind configmap.Kind, only metav1.ListOptions) error {
	narrow := func(o *metav1.ListOptions) { o.FieldSelector = only.FieldSelector }
	resource, calls := "configmaps", (*cache.ListWatch)(nil)
	var object runtime.Object
	if kind == configmap.Secret {
		resource, object = "secrets", &corev1.Secret{}
		secrets := w.Engine.Client.CoreV1().Secrets(w.Namespace)
		calls = informer.ListWatch(secrets.List, secrets.Watch, narrow)
	} else {
		object = &corev1.ConfigMap{}
		configMaps := w.Engine.Client.CoreV1().ConfigMaps(w.Namespace)
		calls = informer.ListWatch(configMaps.List, configMaps.Watch, narrow)
	}
	// The watches themselves keep asking after any error. A user who lacks a right should learn that now.
	if _, err := calls.ListWithContext(ctx, metav1.ListOptions{Limit: 1}); err != nil {
		return w.Reader.Explain(ctx, "list", resource, err)
	}
	events, err := calls.WatchWithContext(ctx, metav1.ListOptions{TimeoutSeconds: new(int64(1))})
	if err != nil {
		return w.Reader.Explain(ctx, "watch", resource, err)
	}
	events.Stop()
	for range events.ResultChan() {
		continue // drains the channel until it is closed
	}
	w.objects.Watch(w.Engine.Client, resource, object, calls)
	return nil
}

// what describes what is watched.
func (w *configWatcher) what() string {
	if len(w.named) == 0 {
		return "what workloads reference"
	}
	text := w.named[0].String()
	for _, object := range w.named[1:] {
		text += ", " + object.String()
	}
	return text
}

// stopped handles an interrupt. Between rollouts, an interrupt ends the command normally. During a rollout, it is handled
// as in other commands.
func (w *configWatcher) stopped(err error) error {
	var interrupt *cli.InterruptError
	if !errors.As(err, &interrupt) {
		return err
	}
	_, _ = fmt.Fprintln(w.Env.ErrOut, "Watching ends; no rollout was under way.")
	return nil
}
