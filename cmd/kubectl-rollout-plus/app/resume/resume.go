// Package resume holds the command resume.
package resume

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

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/adjust"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const resumeExample = `  # Continue the rollout of web, or resume web after a pause
  kubectl rollout-plus resume deployment/web`

// Flags are the flags of resume.
type Flags struct {
	adjust.Adjuster
	drive cli.DriveFlags
	cause string
}

// NewCommand returns the command resume.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &Flags{Adjuster: adjust.NewAdjuster()}
	cmd := &cobra.Command{
		Use:   "resume (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Continue a rollout, or resume a paused Deployment",
		Long: "Continue a rollout that stands at a step. Only the cluster's state matters, not\n" +
			"who began the rollout, on which machine, or how that ended. If somebody changed\n" +
			"the pod template meanwhile, the change becomes the new version.\n\n" +
			"If no stepwise rollout is open, resume a paused Deployment, as kubectl rollout\n" +
			"resume does. When a rollout continues, -o json writes its events.",
		Example:           resumeExample,
		ValidArgsFunction: env.CompleteDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.drive.Output, f.drive.FieldManager = *f.Print.OutputFormat, f.FieldManager
			if err := f.drive.Validate(); err != nil {
				return err
			}
			ctx, cancel := env.WithTimeout(cmd.Context(), f.drive.Timeout) // one timeout for all objects
			defer cancel()
			return f.Each(env, args, nil, func(info *resource.Info) error { return f.Resume(ctx, env, info) })
		},
	}
	f.Add(cmd)
	cli.AddWaitTerminated(cmd, &f.drive.WaitTerminated)
	f.drive.AddTimeout(cmd)
	f.drive.AddPatience(cmd)
	cmd.Flags().StringVar(&f.cause, "change-cause", "", "After a pause: the reason, kept as the revision's kubernetes.io/change-cause.")
	return cmd
}

// Resume continues an open rollout. It resumes any other object as kubectl does.
func (f *Flags) Resume(ctx context.Context, env *cli.Env, info *resource.Info) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w before %s was resumed", cause, cli.ObjectIn(info))
	}
	unpause := adjust.Adjustment{
		Mutate: set.PatchFn(polymorphichelpers.ObjectResumerFn), Only: cli.OnlyDeployments,
		Amend: func(object runtime.Object, patch map[string]any) error { return f.because(ctx, env, object, patch) },
	}
	if cli.MayBeOpen(info) {
		err := f.goOn(ctx, env, info, unpause)
		if !errors.Is(err, rollout.ErrNoRollout) {
			return err
		}
	}
	env.WarnAppliedInfo(info)
	if err := f.Adjust(ctx, info, unpause); err != nil {
		return adjust.WhileAt(ctx, err, info, "resumed")
	}
	return f.Printed(env, info.Object, "resumed")
}

// because adds the cause of the changes that have waited for the resume. Without a given cause, it keeps the present one if
// that may belong to these changes. It removes the cause if that belongs to the revision before.
func (f *Flags) because(ctx context.Context, env *cli.Env, object runtime.Object, patch map[string]any) error {
	if f.cause == "" {
		d, is := object.(*appsv1.Deployment)
		if !is || d.Annotations[workload.ChangeCauseAnnotation] == "" {
			return nil
		}
		engine, err := env.Engine(f.FieldManager, nil)
		if err != nil || !history.HasStaleCause(ctx, engine.Client, d) {
			return err
		}
	}
	return adjust.AnnotateCause(object, patch, f.cause)
}

// goOn drives an open rollout to its end. It first resumes the Deployment if that is paused.
func (f *Flags) goOn(ctx context.Context, env *cli.Env, info *resource.Info, unpause adjust.Adjustment) error {
	engine, err := env.Engine(f.FieldManager, nil)
	if err != nil {
		return err
	}
	if err := cli.OpenedIn(ctx, engine, info); err != nil {
		if workload, is := info.Object.(workload.Object); is && errors.Is(err, rollout.ErrNoRollout) {
			engine.ReturnOwned(ctx, workload)
		}
		return err
	}
	if f.cause != "" {
		return cli.UsageError(fmt.Errorf("--change-cause is for a Deployment that is resumed after a pause: the rollout of %s has its own; leave it out",
			cli.ObjectIn(info).InNamespace()))
	}
	printer, err := env.Printer(f.drive.Output, cli.ObjectIn(info))
	if err != nil {
		return err
	}
	env.WarnAppliedInfo(info)
	if d, is := info.Object.(*appsv1.Deployment); is && d.Spec.Paused {
		if err := f.Adjust(ctx, info, unpause); err != nil {
			return adjust.WhileAt(ctx, err, info, "resumed")
		}
	}
	return env.DriveTo(ctx, cli.ObjectIn(info), f.drive, cli.Verbs{}, printer,
		restore.ThenConclude(env.ConfigEvent, info.Mapping.GroupVersionKind.Kind, func(
			ctx context.Context, engine *rollout.Engine, key types.NamespacedName,
		) (*rollout.Result, error) {
			return engine.Resume(ctx, info.Mapping.GroupVersionKind.Kind, key)
		}))
}
