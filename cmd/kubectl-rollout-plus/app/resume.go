package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const resumeExample = `  # Continue the rollout of web, or resume web after a pause
  kubectl rollout-plus resume deployment/web`

type resumeFlags struct {
	adjuster
	drive driveFlags
	cause string
}

func newResumeCommand(env *environment) *cobra.Command {
	f := &resumeFlags{adjuster: newAdjuster()}
	cmd := &cobra.Command{
		Use:   "resume (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Continue a rollout, or resume a paused Deployment",
		Long: "Continue a rollout that stands at a step. Only the cluster's state matters, not\n" +
			"who began the rollout, on which machine, or how that ended. If somebody changed\n" +
			"the pod template meanwhile, the change becomes the new version.\n\n" +
			"If no stepwise rollout is open, resume a paused Deployment, as kubectl rollout\n" +
			"resume does. When a rollout continues, -o json writes its events.",
		Example:           resumeExample,
		ValidArgsFunction: env.completeDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.drive.output, f.drive.fieldManager = *f.print.OutputFormat, f.fieldManager
			if err := f.drive.validate(); err != nil {
				return err
			}
			ctx, cancel := env.withTimeout(cmd.Context(), f.drive.timeout) // one timeout for all objects
			defer cancel()
			return f.each(env, args, nil, func(info *resource.Info) error { return f.resume(ctx, env, info) })
		},
	}
	f.add(cmd)
	f.drive.addTimeout(cmd)
	f.drive.addPatience(cmd)
	cmd.Flags().StringVar(&f.cause, "change-cause", "", "After a pause: the reason, kept as the revision's kubernetes.io/change-cause.")
	return cmd
}

// resume continues an open rollout. It resumes any other object as kubectl does.
func (f *resumeFlags) resume(ctx context.Context, env *environment, info *resource.Info) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w before %s was resumed", cause, objectIn(info))
	}
	unpause := adjustment{
		mutate: set.PatchFn(polymorphichelpers.ObjectResumerFn), only: onlyDeployments,
		amend: func(object runtime.Object, patch map[string]any) error { return f.because(ctx, env, object, patch) },
	}
	if mayBeOpen(info) {
		err := f.goOn(ctx, env, info, unpause)
		if !errors.Is(err, rollout.ErrNoRollout) {
			return err
		}
	}
	env.warnAppliedInfo(info)
	if err := f.adjust(ctx, info, unpause); err != nil {
		return whileAt(ctx, err, info, "resumed")
	}
	return f.printed(env, info.Object, "resumed")
}

// because adds the cause of the changes that have waited for the resume. Without a given cause, it keeps the present one if
// that may belong to these changes. It removes the cause if that belongs to the revision before.
func (f *resumeFlags) because(ctx context.Context, env *environment, object runtime.Object, patch map[string]any) error {
	if f.cause == "" {
		d, is := object.(*appsv1.Deployment)
		if !is || d.Annotations[workload.ChangeCauseAnnotation] == "" {
			return nil
		}
		engine, err := env.engine(f.fieldManager, nil)
		if err != nil || !history.HasStaleCause(ctx, engine.Client, d) {
			return err
		}
	}
	return annotateCause(object, patch, f.cause)
}

// goOn drives an open rollout to its end. It first resumes the Deployment if that is paused.
func (f *resumeFlags) goOn(ctx context.Context, env *environment, info *resource.Info, unpause adjustment) error {
	engine, err := env.engine(f.fieldManager, nil)
	if err != nil {
		return err
	}
	if err := openedIn(ctx, engine, info); err != nil {
		if workload, is := info.Object.(workload.Object); is && errors.Is(err, rollout.ErrNoRollout) {
			engine.ReturnOwned(ctx, workload)
		}
		return err
	}
	if f.cause != "" {
		return usageError(fmt.Errorf("--change-cause is for a Deployment that is resumed after a pause: the rollout of %s has its own; leave it out",
			objectIn(info).InNamespace()))
	}
	printer, err := env.printer(f.drive.output, objectIn(info))
	if err != nil {
		return err
	}
	env.warnAppliedInfo(info)
	if d, is := info.Object.(*appsv1.Deployment); is && d.Spec.Paused {
		if err := f.adjust(ctx, info, unpause); err != nil {
			return whileAt(ctx, err, info, "resumed")
		}
	}
	return env.driveTo(ctx, objectIn(info), f.drive, verbs{}, printer,
		restore.ThenConclude(env.configEvent, info.Mapping.GroupVersionKind.Kind, func(
			ctx context.Context, engine *rollout.Engine, key types.NamespacedName,
		) (*rollout.Result, error) {
			return engine.Resume(ctx, info.Mapping.GroupVersionKind.Kind, key)
		}))
}
