package app

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
	selection
	rolloutFlags
	driveFlags
	backFlags
	toRevision            int64
	wait, syncLastApplied bool
	// changeCause is nil if no cause was given.
	changeCause *string
	printFlags  *genericclioptions.PrintFlags
}

func newUndoCommand(env *environment) *cobra.Command {
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
		ValidArgsFunction: env.completeWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	flags := cmd.Flags()
	flags.Int64Var(&f.toRevision, "to-revision", 0, "The revision to rollback to. Default to 0 (last revision).")
	flags.BoolVar(&f.wait, "wait", false, "Wait until the earlier revision is fully available.")
	flags.BoolVar(&f.syncLastApplied, "sync-last-applied", false,
		"Also rewrite kubectl apply's last-applied annotation, so that the next apply removes fields that it no longer names.")
	f.backFlags.add(cmd)
	f.selection.add(cmd)
	f.rolloutFlags.add(cmd)
	stepsAreOptional(cmd)
	flags.DurationVar(&f.timeout, "timeout", 0, "How long to work and, with --wait, to wait before ending with exit code 124; zero means no limit.")
	flags.StringVar(&f.fieldManager, "field-manager", defaultFieldManager, "Name of the manager used to track field ownership.")
	f.addJudging(cmd)
	addWaitTerminated(cmd, &f.waitTerminated)
	cmdutil.AddDryRunFlag(cmd)
	f.printFlags.AddFlags(cmd)
	return cmd
}

func (f *undoFlags) run(cmd *cobra.Command, env *environment, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	if err := f.validate(cmd); err != nil {
		return err
	}
	// The flag is read only once: kubectl prints a warning each time it reads a --dry-run without a value.
	strategy, err := cmdutil.GetDryRunStrategy(cmd)
	if err != nil {
		return usageError(err)
	}
	dryRun, suffix := dryRunAs(strategy)
	options, err := f.options(dryRun)
	if err != nil {
		return err
	}
	if err := env.checkColor(); err != nil {
		return err
	}
	if cmd.Flags().Changed("change-cause") {
		f.changeCause = &f.cause
	}
	if cmd.Flags().Changed("steps") {
		object, err := f.oneWorkload(env, args)
		if err != nil {
			return err
		}
		f.output = *f.printFlags.OutputFormat
		change := rollout.Change{ToRevision: &f.toRevision, Cause: f.cause, OwnCause: f.changeCause == nil}
		return f.gradually(cmd.Context(), env, object, change, options, suffix)
	}
	// kubectl would report an unknown -o only when it prints, after the work.
	if _, err := f.printFlags.ToPrinter(); err != nil {
		return usageError(err)
	}
	return f.atOnce(cmd, env, args, strategy)
}

func (f *undoFlags) validate(cmd *cobra.Command) error {
	if f.toRevision < 0 {
		return usageError(badTarget(f.toRevision))
	}
	stepwise := cmd.Flags().Changed("steps")
	if stepwise && f.syncLastApplied {
		return usageError(errors.New("--sync-last-applied does not go with --steps"))
	}
	if err := f.backFlags.validate(); err != nil {
		return err
	}
	if err := needsSteps(cmd); err != nil {
		return err
	}
	return f.driveFlags.validate()
}

// oneWorkload returns the workload to take back in steps.
func (f *undoFlags) oneWorkload(env *environment, args []string) (printers.Object, error) {
	if len(f.files.Filenames) == 0 && f.files.Kustomize == "" && f.selector == "" {
		return env.namedWorkload(args)
	}
	result, err := f.find(env, args)
	if err != nil {
		return printers.Object{}, err
	}
	infos, err := result.Infos()
	if err != nil {
		return printers.Object{}, err
	}
	if len(infos) != 1 {
		return printers.Object{}, usageError(fmt.Errorf("--steps takes one workload at a time, not %d objects; name one, or leave it out", len(infos)))
	}
	_, err = workloadIn(infos[0])
	return objectIn(infos[0]), err
}

// gradually rolls out the earlier revision in steps. If a rollout is open and no revision is given, it aborts that rollout:
// the revision before would be the one that the rollout has just left.
func (f *undoFlags) gradually(ctx context.Context, env *environment, object printers.Object, change rollout.Change,
	options rollout.StartOptions, suffix string,
) error {
	key := types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
	printer, err := env.printer(f.output, object)
	if err != nil {
		return err
	}
	ctx, cancel := env.withTimeout(ctx, f.timeout)
	defer cancel()
	engine, err := env.engine(f.fieldManager, printer.Event)
	if err != nil {
		return err
	}
	// The template to leave is read before anything else, since restoring the versions of the configuration takes time. If
	// somebody begins a rollout from now on, this command fails instead of aborting it.
	live, err := engine.Workload(ctx, object.Kind, key)
	if err != nil {
		return env.conclude(printer, object, nil, err, context.Cause(ctx), verbs{})
	}
	change.Leaving = workload.TemplateOf(live)
	if options.DryRun == rollout.DryRunNone && rollout.MayBeOpen(live) {
		f.tune(engine)
		if f.finishing(engine); f.toRevision > 0 {
			engine.Annotations = nil // the rollout that follows writes them
		}
		if f.toRevision > 0 { // otherwise the rollout would be aborted for a revision that does not exist
			if err := engine.HasRevision(ctx, live, f.toRevision); err != nil {
				return env.conclude(printer, object, nil, err, context.Cause(ctx), verbs{})
			}
		}
		result, err := abortOpen(ctx, engine, object.Kind, key, 0)
		if err != nil || result != nil && (f.toRevision == 0 || result.Outcome != rollout.RolledBack) {
			return env.conclude(printer, object, result, err, context.Cause(ctx), verbs{goesBack: true})
		}
	}
	return env.driveTo(ctx, object, f.driveFlags, verbs{suffix: suffix}, printer,
		func(ctx context.Context, engine *rollout.Engine, _ types.NamespacedName) (*rollout.Result, error) {
			f.leaveConfig(engine)
			return f.startBack(ctx, env, engine, object, change, options)
		})
}

// finishing sets up an engine to go back from a rollout as the flags of undo ask for.
func (f *undoFlags) finishing(engine *rollout.Engine) {
	f.leaveConfig(engine)
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
