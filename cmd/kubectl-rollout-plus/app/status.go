package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

type statusFlags struct {
	watch    bool
	timeout  time.Duration
	revision int64
}

func newStatusCommand(env *environment) *cobra.Command {
	f := &statusFlags{}
	cmd := &cobra.Command{
		Use:   "status deployment/NAME",
		Short: "Show how a rollout goes, and wait for its end",
		Long: "Show how a rollout goes, in the words of kubectl rollout status, and wait for\n" +
			"its end. Of a stepwise rollout the step is shown too, and the command ends at\n" +
			"once, with the cause, when it fails.",
		Example: "  # Wait until web is rolled out\n  kubectl rollout-plus status deployment/web\n\n" +
			"  # Just look\n  kubectl rollout-plus status deployment/web --watch=false",
		Args: arguments(oneDeployment), ValidArgsFunction: env.completeDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", true, "Watch the status of the rollout until it's done.")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "The length of time to wait before ending watch, zero means never.")
	cmd.Flags().Int64Var(&f.revision, "revision", 0, "Pin to a specific revision for showing its status. Defaults to 0 (last revision).")
	return cmd
}

func (f *statusFlags) run(ctx context.Context, env *environment, args []string) error {
	if f.revision < 0 {
		return usageError(fmt.Errorf("revision must be a positive integer: %d", f.revision))
	}
	if f.timeout < 0 {
		return flagError("timeout", f.timeout.String(), errNegative)
	}
	key, err := env.key(args)
	if err != nil {
		return err
	}
	engine, err := env.engine(defaultFieldManager, nil)
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx, f.timeout)
	defer cancel()
	watcher := &statusWatcher{env: env, key: key, flags: f, engine: engine}
	err = engine.Follow(ctx, key, func(view *rollout.View) (bool, error) { return watcher.see(ctx, view) })
	return err
}

// statusWatcher turns views into kubectl's lines.
type statusWatcher struct {
	env    *environment
	key    types.NamespacedName
	flags  *statusFlags
	engine *rollout.Engine
	viewer polymorphichelpers.DeploymentStatusViewer
	told   string
}

func (w *statusWatcher) see(ctx context.Context, view *rollout.View) (bool, error) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(view.Snapshot.Deployment)
	if err != nil {
		return false, err
	}
	text, done, err := w.viewer.Status(&unstructured.Unstructured{Object: object}, w.flags.revision)
	if err != nil {
		return false, err
	}
	if view.State == rollout.Open {
		text += w.step(view)
		done = false
	}
	if text != w.told {
		w.told = text
		_, _ = fmt.Fprint(w.env.Out, text) // a reader that is gone
	}
	if view.Outcome != "" {
		return true, w.failure(ctx, view)
	}
	return done || !w.flags.watch, nil
}

// step is the line of an open rollout.
func (w *statusWatcher) step(view *rollout.View) string {
	c := view.Counts
	return fmt.Sprintf("step %d of %d: %d of %d new pods ready, %d old, %d in total, %d available\n", view.Record.Step,
		len(view.Record.Plan.Steps), c.NewReady, view.Record.Target(*view.Snapshot.Deployment.Spec.Replicas), c.Old, c.Total, c.Ready)
}

func (w *statusWatcher) failure(ctx context.Context, view *rollout.View) error {
	if view.Finding != nil {
		w.engine.Logs(ctx, w.key.Namespace, view.Finding)
		for _, line := range view.Finding.Logs {
			_, _ = fmt.Fprintf(w.env.ErrOut, "| %s\n", line)
		}
	}
	result := &rollout.Result{Outcome: view.Outcome, Message: view.Message, Finding: view.Finding, Standing: true, Record: view.Record}
	return &exitError{code: outcomeCode(result, nil, false), err: errors.New(sentence(w.key, result))}
}
