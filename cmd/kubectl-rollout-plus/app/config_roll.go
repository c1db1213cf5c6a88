package app

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

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// roller rolls out new pod templates, in steps if the workload allows that.
type roller struct {
	*configSession
	options rollout.StartOptions
	cause   string
	waits   waitFlags
	// began is true if something was rolled out, or if that is unknown.
	began bool
	// suffix is the end of all result lines, such as " (dry run)".
	suffix string
	// told is true if programs have got an event with the result of a workload.
	told bool
}

// change describes how one workload changes.
type change struct {
	workload workload.Object
	rewrite  rollout.Rewrite
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
func (r *roller) try(ctx context.Context, c change) error {
	engine, options := r.checking(c.workload), r.options
	options.DryRun = rollout.DryRunServer
	if !rollout.Steppable(c.workload) {
		written, before, err := engine.WriteTemplate(ctx, c.workload, rollout.NativeChange{Rewrite: c.rewrite, Cause: r.cause, Try: true})
		if err != nil || before == nil {
			return err
		}
		options.MaxSurge, options.MaxUnavailable = nil, nil // the workload's controller ignores them
		if err := engine.CheckStart(ctx, written, c.workload, options); err != nil {
			return withHint(err, objectOf(c.workload))
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
		return withHint(err, objectOf(c.workload))
	}
	return engine.CheckStepRights(ctx, c.workload)
}

// start starts the rollout of a workload with an engine.
func (r *roller) start(ctx context.Context, engine *rollout.Engine, c change, options rollout.StartOptions) (*rollout.Result, error) {
	return engine.Start(ctx, workload.KindOf(c.workload), keyOf(c.workload), rollout.Change{Rewrite: c.rewrite, Cause: r.cause, Note: c.note}, options)
}

// lacks returns an error that names the first missing right. why describes what it is needed for.
func (r *roller) lacks(ctx context.Context, needed []preflight.Right, why string) error {
	for i := range needed {
		if !survey.May(ctx, r.Engine.Client, r.Namespace, &needed[i]) {
			return fmt.Errorf("the right to %s in namespace %q is missing, %s", needed[i], r.Namespace, why)
		}
	}
	return context.Cause(ctx)
}

// mayFollow returns an error if a rollout could be written but not followed.
func (r *roller) mayFollow(ctx context.Context, workload workload.Object) error {
	var needed []preflight.Right
	for _, verb := range []string{"list", "watch"} {
		needed = append(needed, preflight.Right{
			Verb: verb, Group: appsv1.GroupName, Resource: strings.ToLower(kindOf(workload).Kind) + "s", Name: workload.GetName(),
		})
	}
	return r.lacks(ctx, needed, fmt.Sprintf("so that the rollout of %s could not be followed", nameOf(workload)))
}

// roll rolls out one workload to its end. If that goes wrong, the exit code of the error says how it ended.
func (r *roller) roll(ctx context.Context, c change) error {
	object := objectOf(c.workload)
	r.told = true
	if !rollout.Steppable(c.workload) {
		r.env.warnApplied(c.workload)
		err := r.native(ctx, c)
		if err != nil {
			r.env.ended(object, "", "", err)
		}
		return err
	}
	printer, err := r.printer(c)
	if err != nil {
		return err
	}
	return r.env.driveTo(ctx, object, driveFlags{fieldManager: r.Engine.FieldManager, waitFlags: r.waits}, verbs{}, printer,
		func(ctx context.Context, engine *rollout.Engine, _ types.NamespacedName) (*rollout.Result, error) {
			if c.returning != nil {
				engine.Returning = func(ctx context.Context, _ workload.Object, _ *corev1.PodTemplateSpec, _ *rollout.Record) {
					c.returning(ctx)
				}
			}
			options := r.options
			options.SkipChecks = true // they ran before anything was written
			result, err := r.start(ctx, engine, c, options)
			r.began = r.began || err == nil || context.Cause(ctx) != nil
			return result, err
		})
}

// native writes the template and waits for the workload's controller.
func (r *roller) native(ctx context.Context, c change) error {
	written, before, err := r.Engine.WriteTemplate(ctx, c.workload, rollout.NativeChange{Rewrite: c.rewrite, Cause: r.cause})
	r.began = r.began || err == nil || context.Cause(ctx) != nil
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
	r.tell("%s: its controller replaces the pods", resultName(c.workload))
	holds := r.options.OnFailure == plan.OnFailureHold
	waits := r.waits
	waits.leaves = !holds
	failure := awaitAll(ctx, r.env, waits, []workload.Object{written})
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
		return fmt.Errorf("%s failed (%w), and its old version could not be brought back: %w", nameOf(c.workload), failure, err)
	}
	return &exitError{code: ExitRolledBack, err: fmt.Errorf("%s: the rollout failed and was rolled back: %s",
		nameOf(c.workload), strings.TrimPrefix(errorText(failure), "error: "))}
}

// nativeBack writes the old template again. It keeps what somebody else has changed since.
func (r *roller) nativeBack(ctx context.Context, c change, failed workload.Object, before map[string]any) error {
	_, _ = fmt.Fprintf(r.env.ErrOut, "%s: the old version returns\n", resultName(failed))
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
	unblock(ctx, r.env, r.Engine, written)
	return awaitAll(ctx, r.env, r.waits, []workload.Object{written})
}

func keyOf(workload workload.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: workload.GetNamespace(), Name: workload.GetName()}
}
