package app

import (
	"context"
	"fmt"
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// roller rolls out new pod templates: a Deployment's in steps, others as their controllers do.
type roller struct {
	*configSession
	options  rollout.StartOptions
	cause    string
	logLines int64
}

// change is what one workload is to become.
type change struct {
	workload rollout.Workload
	rewrite  rollout.Rewrite
	// returning is done before the old version returns.
	returning func(context.Context)
}

// inSteps tells whether a workload is rolled out in steps.
func inSteps(workload rollout.Workload) bool {
	d, is := workload.(*appsv1.Deployment)
	return is && d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType
}

// try finds out before anything is written whether a workload can be rolled out.
func (r *roller) try(ctx context.Context, c change) error {
	if !inSteps(c.workload) {
		_, _, err := r.engine.WriteTemplate(ctx, c.workload, rollout.NativeChange{Rewrite: c.rewrite, Cause: r.cause, Try: true})
		return err
	}
	options := r.options
	options.DryRun = rollout.DryRunServer
	key := keyOf(c.workload)
	_, err := r.engine.Start(ctx, key, rollout.Change{Rewrite: c.rewrite, Cause: r.cause}, options)
	return withHint(err, key)
}

// roll rolls out one workload to its end. The error's exit code says how that came out if not well.
func (r *roller) roll(ctx context.Context, c change) error {
	if !inSteps(c.workload) {
		return r.native(ctx, c)
	}
	key := keyOf(c.workload)
	printer, err := r.env.printer("", key)
	if err != nil {
		return err
	}
	return r.env.driveTo(ctx, key, driveFlags{fieldManager: r.engine.FieldManager, waitFlags: waitFlags{logLines: r.logLines}}, verbs{}, printer,
		func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
			if c.returning != nil {
				engine.Returning = func(ctx context.Context, _ *appsv1.Deployment, _ *corev1.PodTemplateSpec) { c.returning(ctx) }
			}
			return engine.Start(ctx, key, rollout.Change{Rewrite: c.rewrite, Cause: r.cause}, r.options)
		})
}

// native writes the template and waits for the workload's controller.
func (r *roller) native(ctx context.Context, c change) error {
	name := resultName(c.workload)
	written, before, err := r.engine.WriteTemplate(ctx, c.workload, rollout.NativeChange{Rewrite: c.rewrite, Cause: r.cause})
	if err != nil {
		return err
	}
	if before == nil {
		_, _ = fmt.Fprintf(r.env.Out, "%s unchanged\n", name)
		return nil
	}
	if rollout.PhaseOf(written) == rollout.OnDelete {
		_, _ = fmt.Fprintf(r.env.Out, "%s changed: OnDelete, so its pods take it as somebody deletes them\n", name)
		return nil
	}
	_, _ = fmt.Fprintf(r.env.ErrOut, "%s: its controller replaces the pods\n", name)
	failure := r.env.awaitAll(ctx, waitFlags{logLines: r.logLines}, []rollout.Workload{written})
	if failure == nil {
		_, _ = fmt.Fprintf(r.env.Out, "%s rolled out\n", name)
		return nil
	}
	if context.Cause(ctx) != nil || r.options.OnFailure == rollout.OnFailureHold {
		return failure
	}
	if c.returning != nil {
		c.returning(ctx)
	}
	if err := r.nativeBack(ctx, written, before); err != nil {
		return fmt.Errorf("%s failed (%w), and its old version could not be brought back: %w", nameOf(c.workload), failure, err)
	}
	return &exitError{code: ExitRolledBack, err: fmt.Errorf("%s: the rollout failed and was rolled back: %s",
		nameOf(c.workload), strings.TrimPrefix(errorText(failure), "error: "))}
}

// nativeBack returns to a template.
func (r *roller) nativeBack(ctx context.Context, workload rollout.Workload, template map[string]any) error {
	_, _ = fmt.Fprintf(r.env.ErrOut, "%s: the old version returns\n", resultName(workload))
	written, _, err := r.engine.WriteTemplate(ctx, workload, rollout.NativeChange{Rewrite: func(now map[string]any) error {
		clear(now)
		maps.Copy(now, template)
		return nil
	}})
	if err != nil {
		return err
	}
	r.env.unblock(ctx, r.engine, written)
	return r.env.awaitAll(ctx, waitFlags{logLines: r.logLines}, []rollout.Workload{written})
}

func keyOf(workload rollout.Workload) types.NamespacedName {
	return types.NamespacedName{Namespace: workload.GetNamespace(), Name: workload.GetName()}
}
