// Package restart holds the command restart.
package restart

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/adjust"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/wait"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const restartExample = `  # Replace all pods of web, and wait until that is done
  kubectl rollout-plus restart deployment/web --wait

  # Restart step by step
  kubectl rollout-plus restart deployment/web --steps 10%,50%

  # Restart workloads whose pods run with an older content of the ConfigMap web
  kubectl rollout-plus restart --config web

  # See which workloads those are, after a dry run on the API server
  kubectl rollout-plus restart --config web --dry-run=server

  # Restart all DaemonSets with the label app=agent
  kubectl rollout-plus restart daemonset -l app=agent`

type restartFlags struct {
	adjust.Adjuster
	cli.RolloutFlags
	staleFlags
	cli.WaitFlags
	wait, force bool
}

// NewCommand returns the command restart.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &restartFlags{Adjuster: adjust.NewAdjuster()}
	cmd := &cobra.Command{
		Use:   "restart (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Replace all pods with new ones of the same version",
		Long: "Replace all pods with new ones of the same version, as kubectl rollout restart\n" +
			"does: at once and within the workload's own limits. With --steps, replace them\n" +
			"step by step.\n\n" +
			"If another version is still being rolled out, the command waits some seconds\n" +
			"for its end. Then it refuses the restart, unless --force is given.",
		Example:           restartExample,
		ValidArgsFunction: env.CompleteWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	f.Adjuster.Add(cmd)
	f.RolloutFlags.Add(cmd)
	cli.StepsAreOptional(cmd)
	f.add(cmd)
	cmd.Flags().BoolVar(&f.wait, "wait", false, "Wait until all pods are replaced.")
	cmd.Flags().BoolVar(&f.force, "force", false, "Restart even while a rollout is under way.")
	cmd.Flags().DurationVar(&f.Timeout, "timeout", 0, "With --wait or --steps: how long to wait before ending with exit code 124; zero means no limit.")
	f.AddJudging(cmd)
	cli.AddWaitTerminated(cmd, &f.WaitTerminated)
	return cmd
}

func (f *restartFlags) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	if err := f.checkStale(args); err != nil {
		return err
	}
	drive := cli.DriveFlags{Output: *f.Print.OutputFormat, FieldManager: f.FieldManager, WaitFlags: f.WaitFlags}
	if err := drive.Validate(); err != nil {
		return err
	}
	options, err := f.Options(rollout.DryRunNone)
	if err != nil {
		return err
	}
	if f.given() {
		return f.restartStale(cmd.Context(), env)
	}
	inSteps := cmd.Flags().Changed("steps")
	if err := cli.NeedsSteps(cmd); err != nil {
		return err
	}
	if inSteps && f.force {
		return cli.UsageError(errors.New("--force does not go with --steps, which begin on a complete workload only; leave one of them out"))
	}
	ctx, cancel := env.WithTimeout(cmd.Context(), f.Timeout) // one timeout for all objects
	defer cancel()
	if inSteps {
		change := rollout.Change{Restart: true, Cause: f.Cause}
		return f.Each(env, args, onlyWorkload, func(info *resource.Info) error {
			return startOn(ctx, env, info, drive, change, options)
		})
	}
	var restarted []workload.Object
	var check func(*resource.Info) error
	if f.wait {
		check = wait.CanAwait
	}
	err = f.Each(env, args, check, func(info *resource.Info) error {
		err := f.restart(ctx, env, info)
		if workload, is := info.Object.(workload.Object); is && err == nil {
			restarted = append(restarted, workload)
		}
		return err
	})
	if !f.wait {
		return err
	}
	return cli.Together([]error{err, wait.AwaitAll(ctx, env, f.WaitFlags, restarted)})
}

// onlyWorkload returns an error for an object that this command cannot roll out in steps.
func onlyWorkload(info *resource.Info) error {
	_, err := cli.WorkloadIn(info)
	return err
}

// startOn drives the rollout of one of several workloads.
func startOn(ctx context.Context, env *cli.Env, info *resource.Info, drive cli.DriveFlags, change rollout.Change, options rollout.StartOptions) error {
	printer, err := env.Printer(drive.Output, cli.ObjectIn(info))
	if err != nil {
		return err
	}
	return env.DriveTo(ctx, cli.ObjectIn(info), drive, cli.Verbs{}, printer,
		restore.ThenSweep(env.ConfigEvent, func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
			if cause := context.Cause(ctx); cause != nil {
				return nil, fmt.Errorf("%w before %s was restarted", cause, cli.ObjectIn(info))
			}
			return engine.Start(ctx, cli.ObjectIn(info).Kind, key, change, options)
		}))
}

func (f *restartFlags) restart(ctx context.Context, env *cli.Env, info *resource.Info) error {
	var refused error
	err := f.Adjust(ctx, info, adjust.Adjustment{
		Check: func() error {
			if workload, is := info.Object.(workload.Object); is {
				env.WarnApplied(workload)
			}
			if !f.force {
				refused = refuseToPile(ctx, env, info)
			}
			return refused
		},
		Mutate: set.PatchFn(polymorphichelpers.ObjectRestarterFn), Only: cli.OnlyWorkloads,
		Amend: func(object runtime.Object, patch map[string]any) error {
			if err := adjust.AnnotateCause(object, patch, f.Cause); err != nil {
				return err
			}
			return restartAgain(env, object, patch)
		},
	})
	if refused != nil {
		return cli.CutShort(ctx, Forcible(refused), fmt.Sprintf("before %s was restarted", cli.ObjectIn(info)))
	}
	if err != nil {
		return cli.CutShort(ctx, err, fmt.Sprintf("while %s was restarted", cli.ObjectIn(info)))
	}
	if workload, is := info.Object.(workload.Object); is {
		env.Tell("%s is restarted%s", cli.ResultName(workload), ofRevision(workload))
	}
	return f.Printed(env, info.Object, "restarted")
}

// ofRevision describes a restart: the images of the new pods and, for a Deployment, the revision that it leaves.
func ofRevision(w workload.Object) string {
	text := ""
	if d, is := w.(*appsv1.Deployment); is {
		text = fmt.Sprintf(" from revision %d", workload.RevisionOf(d))
	}
	return fmt.Sprintf("%s with the same images (%s)", text, strings.Join(podtemplate.ImagesOf(workload.TemplateOf(w)), ", "))
}

// restartAgain sets the restart time if the patch does not change it. That happens at the second restart within a second.
func restartAgain(env *cli.Env, object runtime.Object, patch map[string]any) error {
	path := []string{"spec", "template", "metadata", "annotations", podtemplate.RestartedAtAnnotation}
	template := workload.TemplateOf(object)
	if _, found, err := unstructured.NestedString(patch, path...); found || err != nil || template == nil {
		return err
	}
	return unstructured.SetNestedField(patch, podtemplate.RestartedAt(template, env.Clock.Now()), path...)
}
