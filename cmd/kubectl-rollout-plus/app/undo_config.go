package app

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// undoConfig restores the configuration together with one object.
type undoConfig struct {
	*restoration
	done []restored
	// dry tells that nothing is to be written.
	dry bool
	// before is called before the object is written, nil where configuration is to be left alone.
	before func(*corev1.PodTemplateSpec) error
}

// backFlags say what becomes of the configuration when a workload goes back to an earlier revision.
type backFlags struct {
	keepConfig, sharedConfig bool
	// looked knows the versions of the namespace that was looked at last, so that several objects there take it once.
	looked *restoration
	// returning are the workloads of a namespace that the command is for.
	returning map[string]map[string]bool
}

func (f *backFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.keepConfig, "keep-config", false, "Leave ConfigMaps and Secrets as they are; only the pods go back to their versions.")
	cmd.Flags().BoolVar(&f.sharedConfig, "shared-config", false, "Restore ConfigMaps and Secrets that other workloads use too.")
}

func (f *backFlags) validate() error {
	if f.keepConfig && f.sharedConfig {
		return usageError(errors.New("--keep-config and --shared-config exclude each other; give one of them"))
	}
	return nil
}

// leaveConfig has an engine leave ConfigMaps and Secrets as they are when it goes back, where that is asked for.
func (f *backFlags) leaveConfig(engine *rollout.Engine) {
	if f.keepConfig {
		engine.Returning = nil
	}
}

// returns notes that an object is one to go back with.
func (f *backFlags) returns(info *resource.Info) {
	workload, is := info.Object.(rollout.Workload)
	if !is {
		return
	}
	if f.returning == nil {
		f.returning = map[string]map[string]bool{}
	}
	if f.returning[info.Namespace] == nil {
		f.returning[info.Namespace] = map[string]bool{}
	}
	f.returning[info.Namespace][nameOf(workload)] = true
}

// restoring prepares to restore the configuration of an object. Heads are restored first, since a pod whose template has
// the plain name starts with what the head holds then.
func (f *backFlags) restoring(ctx context.Context, object runtime.Object, engine *rollout.Engine, env *environment) (*undoConfig, error) {
	workload, is := object.(rollout.Workload)
	if !is || !rollout.IsWorkload(object) || f.keepConfig {
		return &undoConfig{}, nil
	}
	u := &undoConfig{restoration: &restoration{
		configSession: env.sessionOf(engine, workload.GetNamespace()), of: workload, shared: f.sharedConfig,
		returning: f.returning[workload.GetNamespace()],
	}}
	if before := f.looked; before != nil && before.namespace == u.namespace {
		u.kept, u.heads = before.kept, before.heads
	} else {
		if _, err := u.lookUp(ctx); err != nil {
			return nil, err
		}
		f.looked = u.restoration
	}
	u.before = func(target *corev1.PodTemplateSpec) error {
		if u.dry || len(u.kept) == 0 {
			return u.checkThere(ctx, target)
		}
		return u.restoreFor(ctx, target)
	}
	return u, nil
}

// restoreFor restores what a template names. It may be asked again where the write was refused.
func (u *undoConfig) restoreFor(ctx context.Context, template *corev1.PodTemplateSpec) error {
	some, err := u.to(ctx, rollout.TemplateOf(u.of), template)
	if err != nil {
		return err
	}
	u.done = append(u.done, some...)
	return nil
}

// after takes the heads back where going back has failed, and sees to the owners of the versions where it has not. Where it may
// be under way all the same, the heads stay: the pods that come are to have them.
func (u *undoConfig) after(ctx context.Context, err error) error {
	var uncertain *rollout.UncertainError
	switch {
	case u.restoration == nil, errors.As(err, &uncertain):
		return err
	case err != nil && context.Cause(ctx) == nil:
		// The error itself, where there is but that: it is told in kubectl's form.
		if failure := u.takeBack(ctx, u.done); failure != nil {
			return errors.Join(err, failure)
		}
	case err == nil && !u.dry:
		u.tidy(ctx, kindsOf(u.kept), configmap.Settled{Workloads: map[types.UID]bool{u.of.GetUID(): true}})
	}
	return err
}

// startBack begins a stepwise rollout to an earlier revision, with its configuration.
func (f *backFlags) startBack(ctx context.Context, env *environment, engine *rollout.Engine, key types.NamespacedName, change rollout.Change,
	options rollout.StartOptions,
) (*rollout.Result, error) {
	if f.keepConfig || options.DryRun != rollout.DryRunNone {
		return engine.Start(ctx, key, change, options)
	}
	d, err := engine.Deployment(ctx, key)
	if err != nil {
		return nil, err
	}
	if change.Leaving == nil {
		change.Leaving = &d.Spec.Template
	}
	config, err := f.restoring(ctx, d, engine, env)
	if err != nil {
		return nil, err
	}
	var target map[string]any
	quiet, try, capture := *engine, options, change
	quiet.Emit, try.DryRun = onlyChecks(engine.Emit), rollout.DryRunServer
	capture.Rewrite = func(template map[string]any) error {
		target = runtime.DeepCopyJSON(template)
		return nil
	}
	if result, err := quiet.Start(ctx, key, capture, try); err != nil || result.Outcome == rollout.Unchanged {
		return result, err
	}
	template, err := rollout.TypedTemplate(target)
	if err != nil {
		return nil, err
	}
	if err := config.restoreFor(ctx, template); err != nil {
		return nil, err
	}
	options.SkipChecks = true // they were made, before anything was written
	result, err := engine.Start(ctx, key, change, options)
	return result, config.after(ctx, err)
}

// onlyChecks leaves out all events but those of checks.
func onlyChecks(emit func(time.Time, rollout.Event)) func(time.Time, rollout.Event) {
	return func(at time.Time, event rollout.Event) {
		if _, is := event.(rollout.CheckEvent); is && emit != nil {
			emit(at, event)
		}
	}
}
