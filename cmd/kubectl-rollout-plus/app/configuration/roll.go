package configuration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight/survey"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/wait"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Roller rolls out new pod templates, in steps if the workload allows that.
type Roller struct {
	*ConfigSession
	Options rollout.StartOptions
	cause   string
	waits   cli.WaitFlags
	// Began is true if something was rolled out, or if that is unknown.
	Began bool
	// suffix is the end of all result lines, such as " (dry run)".
	suffix string
	// told is true if programs have got an event with the result of a workload.
	told bool
}

// Change describes how one workload changes.
type Change struct {
	Workload workload.Object
	Rewrite  rollout.Rewrite
	// undo takes the change back if somebody has changed the template since. It is nil if that is impossible.
	undo rollout.Rewrite
	// note is for whoever resumes or aborts the rollout if this command does not see its end.
	note json.RawMessage
	// back is true if the change brings an old version back.
	back bool
	// returning runs before the old version returns.
	returning func(context.Context)
}

// try finds out whether a workload can be rolled out. It writes nothing.
func (r *Roller) try(ctx context.Context, c Change) error {
	engine, options := r.checking(c.Workload), r.Options
	options.DryRun = rollout.DryRunServer
	if !rollout.Steppable(c.Workload) {
		written, before, err := engine.WriteTemplate(ctx, c.Workload, rollout.NativeChange{Rewrite: c.Rewrite, Cause: r.cause, Try: true})
		if err != nil || before == nil {
			return err
		}
		options.MaxSurge, options.MaxUnavailable = nil, nil // the workload's controller ignores them
		if err := engine.CheckStart(ctx, written, c.Workload, options); err != nil {
			return cli.WithHint(err, cli.ObjectOf(c.Workload))
		}
		if workload.PhaseOf(written) == workload.OnDelete {
			return nil
		}
		if d, is := written.(*appsv1.Deployment); is {
			if err := rollout.CheckPaused(d); err != nil {
				return err
			}
		}
		return r.mayFollow(ctx, written)
	}
	if _, err := r.start(ctx, engine, c, options); err != nil {
		return cli.WithHint(err, cli.ObjectOf(c.Workload))
	}
	return engine.CheckStepRights(ctx, c.Workload)
}

// start starts the rollout of a workload with an engine.
func (r *Roller) start(ctx context.Context, engine *rollout.Engine, c Change, options rollout.StartOptions) (*rollout.Result, error) {
	return engine.Start(ctx, workload.KindOf(c.Workload), cli.KeyOf(c.Workload), rollout.Change{Rewrite: c.Rewrite, Cause: r.cause, Note: c.note}, options)
}

// lacks returns an error that names the first missing right. why describes what it is needed for.
func (r *Roller) lacks(ctx context.Context, needed []preflight.Right, why string) error {
	for i := range needed {
		if !survey.May(ctx, r.Engine.Client, r.Namespace, &needed[i]) {
			return fmt.Errorf("the right to %s in namespace %q is missing, %s", needed[i], r.Namespace, why)
		}
	}
	return context.Cause(ctx)
}

// mayFollow returns an error if a rollout could be written but not followed.
func (r *Roller) mayFollow(ctx context.Context, workload workload.Object) error {
	var needed []preflight.Right
	for _, verb := range []string{"list", "watch"} {
		needed = append(needed, preflight.Right{
			Verb: verb, Group: appsv1.GroupName, Resource: strings.ToLower(cli.KindOf(workload).Kind) + "s", Name: workload.GetName(),
		})
	}
	return r.lacks(ctx, needed, fmt.Sprintf("so that the rollout of %s could not be followed", cli.NameOf(workload)))
}

// Roll rolls out one workload to its end. If that goes wrong, the exit code of the error says how it ended.
func (r *Roller) Roll(ctx context.Context, c Change) error {
	object := cli.ObjectOf(c.Workload)
	r.told = true
	if !rollout.Steppable(c.Workload) {
		r.Env.WarnApplied(c.Workload)
		err := r.native(ctx, c)
		if err != nil {
			r.Env.Ended(object, "", "", err)
		}
		return err
	}
	printer, err := r.printer(c)
	if err != nil {
		return err
	}
	return r.Env.DriveTo(ctx, object, cli.DriveFlags{FieldManager: r.Engine.FieldManager, WaitFlags: r.waits}, cli.Verbs{}, printer,
		func(ctx context.Context, engine *rollout.Engine, _ types.NamespacedName) (*rollout.Result, error) {
			if c.returning != nil {
				engine.Returning = func(ctx context.Context, _ workload.Object, _ *corev1.PodTemplateSpec, _ *rollout.Record) {
					c.returning(ctx)
				}
			}
			options := r.Options
			options.SkipChecks = true // they ran before anything was written
			result, err := r.start(ctx, engine, c, options)
			r.Began = r.Began || err == nil || context.Cause(ctx) != nil
			return result, err
		})
}

// native writes the template and waits for the workload's controller.
func (r *Roller) native(ctx context.Context, c Change) error {
	written, before, err := r.Engine.WriteTemplate(ctx, c.Workload, rollout.NativeChange{Rewrite: c.Rewrite, Cause: r.cause})
	r.Began = r.Began || err == nil || context.Cause(ctx) != nil
	if err != nil {
		return err
	}
	if before == nil {
		r.done(c, rollout.Unchanged, "unchanged")
		return nil
	}
	if workload.PhaseOf(written) == workload.OnDelete {
		r.done(c, rollout.Done, "changed: OnDelete, so its pods take it as somebody deletes them")
		return nil
	}
	r.Tell("%s: its controller replaces the pods", cli.ResultName(c.Workload))
	holds := r.Options.OnFailure == plan.OnFailureHold
	waits := r.waits
	waits.Leaves = !holds
	failure := wait.AwaitAll(ctx, r.Env, waits, []workload.Object{written})
	if failure == nil {
		r.done(c, rollout.Done, "rolled out")
		return nil
	}
	if context.Cause(ctx) != nil || holds {
		return failure
	}
	if c.returning != nil {
		c.returning(ctx)
	}
	if err := r.nativeBack(ctx, c, written, before); err != nil {
		return fmt.Errorf("%s failed (%w), and its old version could not be brought back: %w", cli.NameOf(c.Workload), failure, err)
	}
	return &cli.Exit{Code: cli.ExitRolledBack, Err: fmt.Errorf("%s: the rollout failed and was rolled back: %s",
		cli.NameOf(c.Workload), strings.TrimPrefix(cli.ErrorText(failure), "error: "))}
}

// nativeBack writes the old template again. It keeps what somebody else has changed since.
func (r *Roller) nativeBack(ctx context.Context, c Change, failed workload.Object, before map[string]any) error {
	_, _ = fmt.Fprintf(r.Env.ErrOut, "%s: the old version returns\n", cli.ResultName(failed))
	written, _, err := r.Engine.WriteTemplate(ctx, failed, rollout.NativeChange{Rewrite: func(now map[string]any) error {
		typed := &corev1.PodTemplateSpec{}
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(now, typed)
		switch {
		case err != nil:
			return err
		case equality.Semantic.DeepEqual(typed, workload.TemplateOf(failed)):
			clear(now)
			maps.Copy(now, before)
			return nil
		case c.undo == nil:
			return errors.New("somebody has changed its pod template since; it stays as it is")
		}
		return c.undo(now)
	}})
	if err != nil {
		return err
	}
	wait.Unblock(ctx, r.Env, r.Engine, written)
	return wait.AwaitAll(ctx, r.Env, r.waits, []workload.Object{written})
}
