// Package undo holds the command undo.
package undo

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rollback"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const undoExample = `  # Go back to the revision before
  kubectl rollout-plus undo deployment/web

  # Go back to revision 3, and wait until it is complete
  kubectl rollout-plus undo statefulset/db --to-revision 3 --wait

  # What would it change?
  kubectl rollout-plus undo daemonset/agent --dry-run=server

  # Go back step by step
  kubectl rollout-plus undo deployment/web --steps 10%,50%

  # Go back, and update what the next kubectl apply compares with
  kubectl rollout-plus undo -f web.yaml --sync-last-applied`

type undoFlags struct {
	cli.Selection
	cli.RolloutFlags
	cli.DriveFlags
	cli.BackFlags
	toRevision            int64
	wait, syncLastApplied bool
	// changeCause is nil if no cause was given.
	changeCause *string
	printFlags  *genericclioptions.PrintFlags
}

// NewCommand returns the command undo.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &undoFlags{printFlags: genericclioptions.NewPrintFlags("rolled back").WithTypeSetter(scheme.Scheme)}
	cmd := &cobra.Command{
		Use:   "undo (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Go back to an earlier revision",
		Long: "Go back to an earlier revision of Deployments, StatefulSets and DaemonSets, as\n" +
			"kubectl rollout undo does: at once and within the workload's own limits. The\n" +
			"command starts from the newest pod template, so it never goes one revision too\n" +
			"far.\n\n" +
			"With --steps, one workload goes back step by step. An open stepwise rollout is\n" +
			"aborted first.",
		Example:           undoExample,
		ValidArgsFunction: env.CompleteWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	flags := cmd.Flags()
	flags.Int64Var(&f.toRevision, "to-revision", 0, "The revision to rollback to. Default to 0 (last revision).")
	flags.BoolVar(&f.wait, "wait", false, "Wait until the earlier revision is fully available.")
	flags.BoolVar(&f.syncLastApplied, "sync-last-applied", false,
		"Also rewrite kubectl apply's last-applied annotation, so that the next apply removes fields that it no longer names.")
	f.BackFlags.Add(cmd)
	f.Selection.Add(cmd)
	f.RolloutFlags.Add(cmd)
	cli.StepsAreOptional(cmd)
	flags.DurationVar(&f.Timeout, "timeout", 0, "How long to work and, with --wait, to wait before ending with exit code 124; zero means no limit.")
	cli.AddFieldManager(cmd, &f.FieldManager)
	f.AddJudging(cmd)
	cli.AddWaitTerminated(cmd, &f.WaitTerminated)
	cmdutil.AddDryRunFlag(cmd)
	f.printFlags.AddFlags(cmd)
	return cmd
}

func (f *undoFlags) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	if err := f.Check(args); err != nil {
		return err
	}
	if err := f.validate(cmd); err != nil {
		return err
	}
	// The flag is read only once: kubectl prints a warning each time it reads a --dry-run without a value.
	strategy, err := cmdutil.GetDryRunStrategy(cmd)
	if err != nil {
		return cli.UsageError(err)
	}
	dryRun, suffix := cli.DryRunAs(strategy)
	options, err := f.Options(dryRun)
	if err != nil {
		return err
	}
	if err := env.CheckColor(); err != nil {
		return err
	}
	if cmd.Flags().Changed("change-cause") {
		f.changeCause = &f.Cause
	}
	if cmd.Flags().Changed("steps") {
		object, err := f.oneWorkload(env, args)
		if err != nil {
			return err
		}
		f.Output = *f.printFlags.OutputFormat
		change := rollout.Change{ToRevision: &f.toRevision, Cause: f.Cause, OwnCause: f.changeCause == nil}
		return f.gradually(cmd.Context(), env, object, change, options, suffix)
	}
	// kubectl would report an unknown -o only when it prints, after the work.
	if _, err := f.printFlags.ToPrinter(); err != nil {
		return cli.UsageError(err)
	}
	return f.atOnce(cmd, env, args, strategy)
}

func (f *undoFlags) validate(cmd *cobra.Command) error {
	if f.toRevision < 0 {
		return cli.UsageError(cli.BadTarget(f.toRevision))
	}
	stepwise := cmd.Flags().Changed("steps")
	if stepwise && f.syncLastApplied {
		return cli.UsageError(errors.New("--sync-last-applied does not go with --steps"))
	}
	if err := f.BackFlags.Validate(); err != nil {
		return err
	}
	if err := cli.NeedsSteps(cmd); err != nil {
		return err
	}
	return f.DriveFlags.Validate()
}

// oneWorkload returns the workload to take back in steps.
func (f *undoFlags) oneWorkload(env *cli.Env, args []string) (printers.Object, error) {
	if len(f.Files.Filenames) == 0 && f.Files.Kustomize == "" && f.Selector == "" {
		return env.NamedWorkload(args)
	}
	result, err := f.Find(env, args)
	if err != nil {
		return printers.Object{}, err
	}
	infos, err := result.Infos()
	if err != nil {
		return printers.Object{}, err
	}
	if len(infos) != 1 {
		return printers.Object{}, cli.UsageError(fmt.Errorf("--steps takes one workload at a time, not %d objects; name one, or leave it out", len(infos)))
	}
	_, err = cli.WorkloadIn(infos[0])
	return cli.ObjectIn(infos[0]), err
}

// gradually rolls out the earlier revision in steps. If a rollout is open and no revision is given, it aborts that rollout:
// the revision before would be the one that the rollout has just left.
func (f *undoFlags) gradually(ctx context.Context, env *cli.Env, object printers.Object, change rollout.Change,
	options rollout.StartOptions, suffix string,
) error {
	key := types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
	printer, err := env.Printer(f.Output, object)
	if err != nil {
		return err
	}
	ctx, cancel := env.WithTimeout(ctx, f.Timeout)
	defer cancel()
	engine, err := env.Engine(f.FieldManager, printer.Event)
	if err != nil {
		return err
	}
	// The template to leave is read before anything else, since restoring the versions of the configuration takes time. If
	// somebody begins a rollout from now on, this command fails instead of aborting it.
	live, err := engine.Workload(ctx, object.Kind, key)
	if err != nil {
		return env.Conclude(printer, object, nil, err, context.Cause(ctx), cli.Verbs{})
	}
	change.Leaving = workload.TemplateOf(live)
	if options.DryRun == rollout.DryRunNone && rollout.MayBeOpen(live) {
		f.Tune(engine)
		if f.finishing(engine); f.toRevision > 0 {
			engine.Annotations = nil // the rollout that follows writes them
		}
		if f.toRevision > 0 { // otherwise the rollout would be aborted for a revision that does not exist
			if err := engine.HasRevision(ctx, live, f.toRevision); err != nil {
				return env.Conclude(printer, object, nil, err, context.Cause(ctx), cli.Verbs{})
			}
		}
		result, err := abortOpen(ctx, engine, object.Kind, key, 0)
		if err != nil || result != nil && (f.toRevision == 0 || result.Outcome != rollout.RolledBack) {
			return env.Conclude(printer, object, result, err, context.Cause(ctx), cli.Verbs{GoesBack: true})
		}
	}
	return env.DriveTo(ctx, object, f.DriveFlags, cli.Verbs{Suffix: suffix}, printer,
		func(ctx context.Context, engine *rollout.Engine, _ types.NamespacedName) (*rollout.Result, error) {
			f.LeaveConfig(engine)
			return f.StartBack(ctx, env, engine, object, change, options)
		})
}

// finishing sets up an engine to go back from a rollout as the flags of undo ask for.
func (f *undoFlags) finishing(engine *rollout.Engine) {
	f.LeaveConfig(engine)
	engine.Annotations = f.annotations
}

// annotations returns the annotations that an abort writes in addition.
func (f *undoFlags) annotations(live map[string]string, template map[string]any) map[string]string {
	changes := map[string]string{}
	if f.changeCause != nil {
		changes[workload.ChangeCauseAnnotation] = *f.changeCause
	}
	if f.syncLastApplied {
		if rewritten, ok := rollback.WithTemplate(live[corev1.LastAppliedConfigAnnotation], template); ok {
			changes[corev1.LastAppliedConfigAnnotation] = rewritten
		}
	}
	return changes
}
