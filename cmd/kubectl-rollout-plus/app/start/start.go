// Package start holds the command start.
package start

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
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
	cli.DriveFlags
	cli.RolloutFlags
	cli.BackFlags
	images, env    []string
	filename       string
	forceConflicts bool
	toRevision     int64
	skipChecks     bool
	drain          time.Duration
}

// NewCommand returns the command start.
func NewCommand(env *cli.Env) *cobra.Command {
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
		Args: cli.Arguments(func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && f.filename != "" {
				return nil
			}
			return cli.NamesWorkload(cmd, args)
		}),
		ValidArgsFunction: env.CompleteWorkload(),
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
	cli.AddSkipChecks(cmd, &f.skipChecks)
	f.RolloutFlags.Add(cmd)
	f.BackFlags.Add(cmd)
	f.DriveFlags.Add(cmd)
	cmdutil.AddDryRunFlag(cmd)
	return cmd
}

func (f *startFlags) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	dryRun, suffix, err := cli.DryRunOf(cmd)
	if err != nil {
		return err
	}
	options, err := f.Options(dryRun)
	if err != nil {
		return err
	}
	options.SkipChecks = f.skipChecks
	if err := f.BackFlags.Validate(); err != nil {
		return err
	}
	change, err := f.change(cmd)
	if err != nil {
		return err
	}
	if f.filename != "" {
		if change.Manifest, err = env.ReadWorkload(f.filename); err != nil {
			return err
		}
		if args, err = env.MatchManifest(args, change.Manifest); err != nil {
			return err
		}
	}
	object, err := env.NamedWorkload(args)
	if err != nil {
		return err
	}
	printer, err := env.Printer(f.Output, object)
	if err != nil {
		return err
	}
	if dryRun != rollout.DryRunNone && f.Output == "" {
		printer = &planPrinter{Printer: printer, env: env}
	}
	work := restore.ThenSweep(env.ConfigEvent, func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		return engine.Start(ctx, object.Kind, key, change, options)
	})
	if change.ToRevision != nil {
		work = func(ctx context.Context, engine *rollout.Engine, _ types.NamespacedName) (*rollout.Result, error) {
			f.LeaveConfig(engine)
			return f.StartBack(ctx, env, engine, object, change, options)
		}
	}
	return env.DriveTo(cmd.Context(), object, f.DriveFlags, cli.Verbs{Suffix: suffix}, printer, work)
}

// change returns the change that the flags describe.
func (f *startFlags) change(cmd *cobra.Command) (rollout.Change, error) {
	change := rollout.Change{Cause: f.Cause, Force: f.forceConflicts, Drain: f.drain}
	if cmd.Flags().Changed("drain") {
		if err := cli.CheckDrain(f.drain, time.Second); err != nil {
			return change, err
		}
	}
	for _, value := range f.images {
		image, err := cli.ParseImage(value)
		if err != nil {
			return change, err
		}
		change.Images = append(change.Images, image)
	}
	for _, value := range f.env {
		variable, err := cli.ParseEnv(value)
		if err != nil {
			return change, err
		}
		change.Env = append(change.Env, variable)
	}
	if cmd.Flags().Changed("to-revision") {
		if f.toRevision < 0 {
			return change, cli.FlagError("to-revision", fmt.Sprint(f.toRevision), cli.BadTarget(f.toRevision))
		}
		change.ToRevision = &f.toRevision
		change.OwnCause = !cmd.Flags().Changed("change-cause")
	} else if f.KeepConfig || f.SharedConfig {
		return change, cli.UsageError(errors.New("--keep-config and --shared-config go with --to-revision"))
	}
	return change, f.oneSource(&change)
}

// oneSource returns an error if the flags describe more than one new version.
func (f *startFlags) oneSource(change *rollout.Change) error {
	edits := len(change.Images)+len(change.Env) > 0 || change.Drain > 0
	if f.filename != "" && (edits || change.ToRevision != nil) || edits && change.ToRevision != nil {
		return cli.UsageError(errors.New("--image, --env and --drain, -f, and --to-revision exclude each other; give one of them"))
	}
	if f.forceConflicts && f.filename == "" {
		return cli.UsageError(errors.New("--force-conflicts goes with -f"))
	}
	return nil
}

// planPrinter prints the plan, which is the result of a dry run, as a table.
type planPrinter struct {
	printers.Printer
	env *cli.Env
}

// Event prints a plan to standard output.
func (p *planPrinter) Event(at time.Time, event rollout.Event) {
	if plan, ok := event.(rollout.PlanEvent); ok {
		if way := printers.WayOf(plan); way != "" {
			p.env.Tell("%s", way)
		}
		_ = printers.PlanTable(p.env.Out, plan) // the write fails only if the reader is gone
		return
	}
	p.Printer.Event(at, event)
}
