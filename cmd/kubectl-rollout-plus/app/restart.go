package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/polymorphichelpers"

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
	adjuster
	rolloutFlags
	staleFlags
	waitFlags
	wait, force bool
}

func newRestartCommand(env *environment) *cobra.Command {
	f := &restartFlags{adjuster: newAdjuster()}
	cmd := &cobra.Command{
		Use:   "restart (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Replace all pods with new ones of the same version",
		Long: "Replace all pods with new ones of the same version, as kubectl rollout restart\n" +
			"does: at once and within the workload's own limits. With --steps, replace them\n" +
			"step by step.\n\n" +
			"If another version is still being rolled out, the command waits some seconds\n" +
			"for its end. Then it refuses the restart, unless --force is given.",
		Example:           restartExample,
		ValidArgsFunction: env.completeWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	f.adjuster.add(cmd)
	f.rolloutFlags.add(cmd)
	stepsAreOptional(cmd)
	f.staleFlags.add(cmd)
	cmd.Flags().BoolVar(&f.wait, "wait", false, "Wait until all pods are replaced.")
	cmd.Flags().BoolVar(&f.force, "force", false, "Restart even while a rollout is under way.")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "With --wait or --steps: how long to wait before ending with exit code 124; zero means no limit.")
	f.addJudging(cmd)
	addWaitTerminated(cmd, &f.waitTerminated)
	return cmd
}

func (f *restartFlags) run(cmd *cobra.Command, env *environment, args []string) error {
	if err := f.checkStale(args); err != nil {
		return err
	}
	drive := driveFlags{output: *f.print.OutputFormat, fieldManager: f.fieldManager, waitFlags: f.waitFlags}
	if err := drive.validate(); err != nil {
		return err
	}
	options, err := f.options(rollout.DryRunNone)
	if err != nil {
		return err
	}
	if f.given() {
		return f.restartStale(cmd.Context(), env)
	}
	inSteps := cmd.Flags().Changed("steps")
	if err := needsSteps(cmd); err != nil {
		return err
	}
	if inSteps && f.force {
		return usageError(errors.New("--force does not go with --steps, which begin on a complete workload only; leave one of them out"))
	}
	ctx, cancel := env.withTimeout(cmd.Context(), f.timeout) // one timeout for all objects
	defer cancel()
	if inSteps {
		change := rollout.Change{Restart: true, Cause: f.cause}
		return f.each(env, args, onlyWorkload, func(info *resource.Info) error {
			return startOn(ctx, env, info, drive, change, options)
		})
	}
	var restarted []workload.Object
	var check func(*resource.Info) error
	if f.wait {
		check = canAwait
	}
	err = f.each(env, args, check, func(info *resource.Info) error {
		err := f.restart(ctx, env, info)
		if workload, is := info.Object.(workload.Object); is && err == nil {
			restarted = append(restarted, workload)
		}
		return err
	})
	if !f.wait {
		return err
	}
	return together([]error{err, awaitAll(ctx, env, f.waitFlags, restarted)})
}

// onlyWorkload returns an error for an object that this command cannot roll out in steps.
func onlyWorkload(info *resource.Info) error {
	_, err := workloadIn(info)
	return err
}

// startOn drives the rollout of one of several workloads.
func startOn(ctx context.Context, env *environment, info *resource.Info, drive driveFlags, change rollout.Change, options rollout.StartOptions) error {
	printer, err := env.printer(drive.output, objectIn(info))
	if err != nil {
		return err
	}
	return env.driveTo(ctx, objectIn(info), drive, verbs{}, printer,
		restore.ThenSweep(env.configEvent, func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
			if cause := context.Cause(ctx); cause != nil {
				return nil, fmt.Errorf("%w before %s was restarted", cause, objectIn(info))
			}
			return engine.Start(ctx, objectIn(info).Kind, key, change, options)
		}))
}

func (f *restartFlags) restart(ctx context.Context, env *environment, info *resource.Info) error {
	var refused error
	err := f.adjust(ctx, info, adjustment{
		check: func() error {
			if workload, is := info.Object.(workload.Object); is {
				env.warnApplied(workload)
			}
			if !f.force {
				refused = refuseToPile(ctx, env, info)
			}
			return refused
		},
		mutate: set.PatchFn(polymorphichelpers.ObjectRestarterFn), only: onlyWorkloads,
		amend: func(object runtime.Object, patch map[string]any) error {
			if err := annotateCause(object, patch, f.cause); err != nil {
				return err
			}
			return restartAgain(env, object, patch)
		},
	})
	if refused != nil {
		return cutShort(ctx, forcible(refused), fmt.Sprintf("before %s was restarted", objectIn(info)))
	}
	if err != nil {
		return cutShort(ctx, err, fmt.Sprintf("while %s was restarted", objectIn(info)))
	}
	if workload, is := info.Object.(workload.Object); is {
		env.tell("%s is restarted%s", resultName(workload), ofRevision(workload))
	}
	return f.printed(env, info.Object, "restarted")
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
func restartAgain(env *environment, object runtime.Object, patch map[string]any) error {
	path := []string{"spec", "template", "metadata", "annotations", podtemplate.RestartedAtAnnotation}
	template := workload.TemplateOf(object)
	if _, found, err := unstructured.NestedString(patch, path...); found || err != nil || template == nil {
		return err
	}
	return unstructured.SetNestedField(patch, podtemplate.RestartedAt(template, env.clock.Now()), path...)
}

// annotateCause adds the cause of the new revision to a patch. Without a cause, it removes that of the revision before.
func annotateCause(object runtime.Object, patch map[string]any, cause string) error {
	metadata, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	path := []string{"metadata", "annotations", workload.ChangeCauseAnnotation}
	if cause != "" {
		return unstructured.SetNestedField(patch, cause, path...)
	}
	if _, found := metadata.GetAnnotations()[workload.ChangeCauseAnnotation]; found {
		return unstructured.SetNestedField(patch, nil, path...)
	}
	return nil
}
