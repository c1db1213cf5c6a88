package undo

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/wait"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rollback"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// lastAppliedWarning is kubectl's own text.
const lastAppliedWarning = "Warning: resource %s was previously managed with 'kubectl apply'. " +
	"Rolling back will not update the %s annotation, which may cause unexpected behavior on future 'kubectl apply' operations. " +
	"Consider using 'kubectl apply' with your previous configuration file instead.\n"

// undoer is kubectl's undo for one object after the other.
type undoer struct {
	*undoFlags
	env    *cli.Env
	dryRun cmdutil.DryRunStrategy
	engine *rollout.Engine
	done   []workload.Object
}

// atOnce goes back within the objects' own limits. As in kubectl, a failure does not stop the other objects.
func (f *undoFlags) atOnce(cmd *cobra.Command, env *cli.Env, args []string, dryRun cmdutil.DryRunStrategy) error {
	u := &undoer{undoFlags: f, env: env, dryRun: dryRun}
	ctx, cancel := env.WithTimeout(cmd.Context(), f.Timeout)
	defer cancel()
	result, err := f.Find(env, args)
	if err != nil {
		return err
	}
	// All objects are read before the first one goes back. So none hinders another one, and none goes back twice.
	all := foundOnce(allFound(result))
	for i := range all {
		all[i] = f.Located(env, all[i])
	}
	var refused []error
	eachFound(all, func(info *resource.Info) error {
		f.Returns(info)
		if f.wait {
			refused = append(refused, wait.CanAwait(info))
		}
		return nil
	})
	err = cli.Together(refused)
	if err == nil {
		err = u.agree(ctx, all)
	}
	if err != nil {
		return cli.Together(append(eachFound(all, func(*resource.Info) error { return nil }), err))
	}
	failures := eachFound(all, func(info *resource.Info) error { return u.undo(ctx, info) })
	if f.wait && u.dryRun == cmdutil.DryRunNone && len(u.done) > 0 {
		failures = append(failures, wait.AwaitAll(ctx, env, f.WaitFlags, u.done))
	}
	return cli.Together(failures)
}

// undo goes back with one object, unless the command has been ended before.
func (u *undoer) undo(ctx context.Context, info *resource.Info) error {
	object := cli.ObjectIn(info)
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w before %s was rolled back", cause, object)
	}
	return cli.CutShort(ctx, u.goBack(ctx, info), fmt.Sprintf("while %s was rolled back; %s shows how far that is", object, cli.CommandOn("history", object)))
}

func (u *undoer) goBack(ctx context.Context, info *resource.Info) error {
	if err := u.connect(); err != nil {
		return err
	}
	u.warn(info)
	aborted, err := u.abort(ctx, info)
	if err != nil || aborted {
		return err
	}
	r := &rollback.Rollback{
		Client: u.engine.Client, ToRevision: u.toRevision, DryRun: u.dryRun, FieldManager: u.FieldManager,
		Cause: u.changeCause, SyncLastApplied: u.syncLastApplied,
	}
	config, err := u.Restoring(ctx, info.Object, u.engine, u.env)
	if err != nil {
		return err
	}
	r.Before, config.Dry = config.Before, u.dryRun != cmdutil.DryRunNone
	kind := info.ResourceMapping().GroupVersionKind.GroupKind()
	operation, err := rollBack(ctx, r, kind, info.Object)
	if err = config.After(ctx, err); err != nil {
		return err
	}
	left := r.Live()
	if r.Written() != nil {
		left = r.Written()
	}
	u.done = append(u.done, left)
	if u.dryRun == cmdutil.DryRunClient { // the rollbacker does nothing in a client dry run
		if looked, _, err := u.look(ctx, info); err == nil {
			tellRollback(u.env, looked, cli.ResultName(left))
		}
	} else {
		tellRollback(u.env, r, cli.ResultName(left))
	}
	if err := u.print(operation, info.Object); err != nil {
		return err
	}
	if u.dryRun == cmdutil.DryRunNone {
		u.seeTo(ctx, r, left)
	}
	if u.dryRun != cmdutil.DryRunServer || r.Written() == nil {
		return nil
	}
	return u.printDiff(info.ObjectName(), r.Live(), r.Written())
}

// seeTo does the rest of a rollback after its write.
func (u *undoer) seeTo(ctx context.Context, r *rollback.Rollback, left workload.Object) {
	if err := r.KeepCause(ctx); err != nil { // the rollback is made already
		_, _ = fmt.Fprintln(u.env.ErrOut, err)
	}
	if workload.PhaseOf(r.Live()) == workload.Progressing {
		wait.Unblock(ctx, u.env, u.engine, left)
	}
}

// connect creates the engine on first use.
func (u *undoer) connect() error {
	if u.engine != nil {
		return nil
	}
	var err error
	if u.engine, err = u.env.Engine(u.FieldManager, nil); err == nil {
		u.Tune(u.engine)
	}
	return err
}

// abort goes back from an open stepwise rollout in one move, to the requested revision. It makes all checks before it
// writes anything. It reports whether it has gone back.
func (u *undoer) abort(ctx context.Context, info *resource.Info) (bool, error) {
	if u.dryRun != cmdutil.DryRunNone || !cli.MayBeOpen(info) {
		return false, nil
	}
	object, key := cli.ObjectIn(info), types.NamespacedName{Namespace: info.Namespace, Name: info.Name}
	engine, err := u.tellingEngine(object)
	if err != nil {
		return false, err
	}
	if err := u.refuse(ctx, info); err != nil {
		return false, err
	}
	result, err := abortOpen(ctx, engine, object.Kind, key, u.toRevision)
	if err != nil {
		return false, cli.WithHint(err, object)
	}
	if result == nil {
		return false, nil
	}
	if result.Outcome != rollout.RolledBack {
		return false, cli.ResultError(object, result, context.Cause(ctx))
	}
	now, err := engine.Workload(ctx, object.Kind, key)
	if err != nil {
		return false, err
	}
	u.done = append(u.done, now)
	return true, u.print("rolled back", now)
}

// refuse returns an error if the requested revision does not exist or lacks configuration.
func (u *undoer) refuse(ctx context.Context, info *resource.Info) error {
	if u.toRevision == 0 {
		return nil
	}
	target, err := u.target(ctx, info)
	if err != nil {
		return err
	}
	config, err := u.Restoring(ctx, info.Object, u.engine, u.env)
	if err != nil || config.Restoration == nil {
		return err
	}
	return config.CheckThere(ctx, target)
}

// tellingEngine returns an engine that prints the progress of an abort.
func (u *undoer) tellingEngine(object printers.Object) (*rollout.Engine, error) {
	printer, err := u.env.Printer("", object)
	if err != nil {
		return nil, err
	}
	engine := *u.engine
	u.finishing(&engine)
	engine.Emit = printer.Event
	return &engine, nil
}

// warn prints kubectl's warning that kubectl apply still remembers the newer manifest. It prints nothing if
// --sync-last-applied rewrites that.
func (u *undoer) warn(info *resource.Info) {
	object, ok := info.Object.(workload.Object)
	if !ok {
		return
	}
	u.env.WarnApplied(object)
	text, applied := object.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if !applied || u.syncLastApplied && rollback.ReadsLastApplied(text) {
		return
	}
	_, _ = fmt.Fprintf(u.env.ErrOut, lastAppliedWarning, info.ObjectName(), corev1.LastAppliedConfigAnnotation)
}

func (u *undoer) print(operation string, object runtime.Object) error {
	u.printFlags.NamePrintFlags.Operation = operation
	cmdutil.PrintFlagsWithDryRunStrategy(u.printFlags, u.dryRun)
	printer, err := u.printFlags.ToPrinter()
	if err != nil {
		return err
	}
	return printer.PrintObj(object, u.env.Out)
}

// printDiff shows what a rollback would change in the pod template. It prints to stderr, since stdout has the output of
// kubectl.
func (u *undoer) printDiff(name string, live, wanted runtime.Object) error {
	before, err := writtenTemplate(live)
	if err != nil {
		return err
	}
	after, err := writtenTemplate(wanted)
	if err != nil {
		return err
	}
	_, err = printers.Diff(u.env.ErrOut, u.env.Palette(u.env.ErrOut), printers.Text{Name: name + " (live)", Body: before},
		printers.Text{Name: name + " (rolled back)", Body: after})
	return err
}

// writtenTemplate returns an object's pod template in YAML, as people write it.
func writtenTemplate(object runtime.Object) ([]byte, error) {
	template, err := runtime.DefaultUnstructuredConverter.ToUnstructured(workload.TemplateOf(object))
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(podtemplate.Written(template))
}

// abortOpen goes back from an open rollout to a revision; 0 means the revision before the rollout. It returns nil if no
// rollout is open. It finds that out without a watch.
func abortOpen(ctx context.Context, engine *rollout.Engine, kind string, key types.NamespacedName, revision int64) (*rollout.Result, error) {
	var err error
	if kind == "Deployment" {
		err = engine.Opened(ctx, "Deployment", key)
	}
	var result *rollout.Result
	switch {
	case err != nil:
	case revision > 0:
		result, err = engine.GoBack(ctx, kind, key, revision)
	default:
		result, err = engine.Abort(ctx, kind, key)
	}
	if errors.Is(err, rollout.ErrNoRollout) {
		return nil, nil
	}
	return result, err
}
