package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

const startExample = `  # Roll out a new image: 1 pod, then 25%, 50% and all of them
  kubectl rollout-plus start deployment/web --image example.com/web:v2

  # Your own steps, each watched for a minute before the next
  kubectl rollout-plus start deployment/web --image web:v2 --steps 50% --hold 1m

  # See what each step would come to
  kubectl rollout-plus start deployment/web --image web:v2 --dry-run=client

  # Apply a manifest in steps
  kubectl rollout-plus start -f deployment.yaml

  # Roll out a StatefulSet, whose highest ordinals come first
  kubectl rollout-plus start statefulset/db --image db=example.com/db:v2

  # Go back to revision 3, step by step
  kubectl rollout-plus start deployment/web --to-revision 3`

// startFlags are the flags of start as they were given.
type startFlags struct {
	driveFlags
	rolloutFlags
	backFlags
	images, env    []string
	filename       string
	forceConflicts bool
	toRevision     int64
	skipChecks     bool
	drain          time.Duration
}

// rolloutFlags select how a rollout proceeds. start and undo --steps share them.
type rolloutFlags struct {
	steps, surge, unavailable string
	hold                      time.Duration
	onFailure, cause          string
}

func (f *rolloutFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.steps, "steps", "", `The number of new pods after each step, as rising counts or percentages; 100% is added. (default "1,25%,50%,100%")`)
	flags.StringVar(&f.surge, "max-surge", "", "The most pods above spec.replicas, as a count or a percentage (default: the Deployment's own).")
	flags.StringVar(&f.unavailable, "max-unavailable", "", "The most ready pods missing from spec.replicas (default: the Deployment's own).")
	flags.DurationVar(&f.hold, "hold", 0, "How long to watch each step's pods once they are ready; a restart or lost readiness fails the step.")
	flags.StringVar(&f.onFailure, "on-failure", string(plan.OnFailureRollback), `What to do when a step fails: "rollback" or "hold".`)
	flags.StringVar(&f.cause, "change-cause", "", "The reason, kept as the revision's kubernetes.io/change-cause.")
}

// stepsAreOptional changes the help of --steps for a command that works at once without the flag.
func stepsAreOptional(cmd *cobra.Command) {
	cmd.Flags().Lookup("steps").Usage = "Go step by step: the number of new pods after each step, as rising counts or percentages; 100% is added."
}

// needsSteps returns an error if --steps is missing but another flag about steps is given.
func needsSteps(cmd *cobra.Command) error {
	if cmd.Flags().Changed("steps") {
		return nil
	}
	for _, flag := range []string{"max-surge", "max-unavailable", "hold", "on-failure"} {
		if cmd.Flags().Changed(flag) {
			return usageError(fmt.Errorf("--%s goes with --steps", flag))
		}
	}
	return nil
}

func (f *rolloutFlags) options(dryRun rollout.DryRun) (rollout.StartOptions, error) {
	// Only start and config run checks first, and set SkipChecks themselves. Checks must not hinder a way back.
	options := rollout.StartOptions{Hold: f.hold, OnFailure: plan.OnFailure(f.onFailure), DryRun: dryRun, SkipChecks: true}
	var err error
	if options.Steps, err = parseSteps(f.steps); err != nil {
		return options, err
	}
	if options.MaxSurge, options.MaxUnavailable, err = parseLimits(f.surge, f.unavailable); err != nil {
		return options, err
	}
	switch options.OnFailure {
	case plan.OnFailureRollback, plan.OnFailureHold:
	default:
		return options, flagError("on-failure", f.onFailure, errors.New("expected rollback or hold"))
	}
	if f.hold < 0 {
		return options, flagError("hold", f.hold.String(), errNegative)
	}
	return options, nil
}

func newStartCommand(env *environment) *cobra.Command {
	f := &startFlags{}
	cmd := &cobra.Command{
		Use:   "start (TYPE NAME | TYPE/NAME | -f FILE)",
		Short: "Roll out a new version step by step",
		Long: "Change the pod template of a Deployment, StatefulSet or DaemonSet and roll it\n" +
			"out step by step, with exact pod counts.\n\n" +
			"At every moment, at most max-surge pods exist above spec.replicas, and at most\n" +
			"max-unavailable ready pods are missing. A StatefulSet or DaemonSet is rolled out\n" +
			"without a surge. A step is done when all its new pods are ready. When a step\n" +
			"fails, the old version returns.",
		Example: startExample,
		Args: arguments(func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && f.filename != "" {
				return nil
			}
			return namesWorkload(cmd, args)
		}),
		ValidArgsFunction: env.completeWorkload(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, env, args)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.images, "image", nil, "The new image, as [CONTAINER=]IMAGE; * means all containers. May be repeated.")
	flags.StringArrayVar(&f.env, "env", nil, "A variable to set, as [CONTAINER:]KEY=VALUE, or to remove, as KEY-. May be repeated.")
	flags.StringVarP(&f.filename, "filename", "f", "", "A manifest of the workload to apply, or - for standard input.")
	flags.BoolVar(&f.forceConflicts, "force-conflicts", false, "With -f: take over fields that other managers own.")
	flags.DurationVar(&f.drain, "drain", 0,
		"Add a preStop hook that sleeps so long to containers without one, so that Services stop sending requests before pods end.")
	flags.Int64Var(&f.toRevision, "to-revision", 0, "An earlier revision to return to.")
	addSkipChecks(cmd, &f.skipChecks)
	f.rolloutFlags.add(cmd)
	f.backFlags.add(cmd)
	f.driveFlags.add(cmd)
	cmdutil.AddDryRunFlag(cmd)
	return cmd
}

func addSkipChecks(cmd *cobra.Command, skip *bool) {
	cmd.Flags().BoolVar(skip, "skip-checks", false, "Begin without the checks; see '"+displayName+" check --help'.")
}

func (f *startFlags) run(cmd *cobra.Command, env *environment, args []string) error {
	dryRun, suffix, err := dryRunOf(cmd)
	if err != nil {
		return err
	}
	options, err := f.options(dryRun)
	if err != nil {
		return err
	}
	options.SkipChecks = f.skipChecks
	if err := f.backFlags.validate(); err != nil {
		return err
	}
	change, err := f.change(cmd)
	if err != nil {
		return err
	}
	if f.filename != "" {
		if change.Manifest, err = env.readWorkload(f.filename); err != nil {
			return err
		}
		if args, err = env.matchManifest(args, change.Manifest); err != nil {
			return err
		}
	}
	object, err := env.namedWorkload(args)
	if err != nil {
		return err
	}
	printer, err := env.printer(f.output, object)
	if err != nil {
		return err
	}
	if dryRun != rollout.DryRunNone && f.output == "" {
		printer = &planPrinter{Printer: printer, env: env}
	}
	work := restore.ThenSweep(env.configEvent, func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		return engine.Start(ctx, object.Kind, key, change, options)
	})
	if change.ToRevision != nil {
		work = func(ctx context.Context, engine *rollout.Engine, _ types.NamespacedName) (*rollout.Result, error) {
			f.leaveConfig(engine)
			return f.startBack(ctx, env, engine, object, change, options)
		}
	}
	return env.driveTo(cmd.Context(), object, f.driveFlags, verbs{suffix: suffix}, printer, work)
}

// change returns the change that the flags describe.
func (f *startFlags) change(cmd *cobra.Command) (rollout.Change, error) {
	change := rollout.Change{Cause: f.cause, Force: f.forceConflicts, Drain: f.drain}
	if cmd.Flags().Changed("drain") {
		if err := checkDrain(f.drain, time.Second); err != nil {
			return change, err
		}
	}
	for _, value := range f.images {
		image, err := parseImage(value)
		if err != nil {
			return change, err
		}
		change.Images = append(change.Images, image)
	}
	for _, value := range f.env {
		variable, err := parseEnv(value)
		if err != nil {
			return change, err
		}
		change.Env = append(change.Env, variable)
	}
	if cmd.Flags().Changed("to-revision") {
		if f.toRevision < 0 {
			return change, flagError("to-revision", fmt.Sprint(f.toRevision), badTarget(f.toRevision))
		}
		change.ToRevision = &f.toRevision
		change.OwnCause = !cmd.Flags().Changed("change-cause")
	} else if f.keepConfig || f.sharedConfig {
		return change, usageError(errors.New("--keep-config and --shared-config go with --to-revision"))
	}
	return change, f.oneSource(&change)
}

// oneSource returns an error if the flags describe more than one new version.
func (f *startFlags) oneSource(change *rollout.Change) error {
	edits := len(change.Images)+len(change.Env) > 0 || change.Drain > 0
	if f.filename != "" && (edits || change.ToRevision != nil) || edits && change.ToRevision != nil {
		return usageError(errors.New("--image, --env and --drain, -f, and --to-revision exclude each other; give one of them"))
	}
	if f.forceConflicts && f.filename == "" {
		return usageError(errors.New("--force-conflicts goes with -f"))
	}
	return nil
}

// dryRunOf returns the value of --dry-run, and kubectl's suffix for result lines.
func dryRunOf(cmd *cobra.Command) (rollout.DryRun, string, error) {
	strategy, err := cmdutil.GetDryRunStrategy(cmd)
	if err != nil {
		return 0, "", usageError(err)
	}
	dryRun, suffix := dryRunAs(strategy)
	return dryRun, suffix, nil
}

func dryRunAs(strategy cmdutil.DryRunStrategy) (rollout.DryRun, string) {
	switch strategy {
	case cmdutil.DryRunClient:
		return rollout.DryRunClient, " (dry run)"
	case cmdutil.DryRunServer:
		return rollout.DryRunServer, " (server dry run)"
	default:
		return rollout.DryRunNone, ""
	}
}

// planPrinter prints the plan, which is the result of a dry run, as a table.
type planPrinter struct {
	printers.Printer
	env *environment
}

// Event prints a plan to standard output.
func (p *planPrinter) Event(at time.Time, event rollout.Event) {
	if plan, ok := event.(rollout.PlanEvent); ok {
		if way := printers.WayOf(plan); way != "" {
			p.env.tell("%s", way)
		}
		_ = printers.PlanTable(p.env.Out, plan) // the write fails only if the reader is gone
		return
	}
	p.Printer.Event(at, event)
}
