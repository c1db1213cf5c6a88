package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubectlrollout "k8s.io/kubectl/pkg/cmd/rollout"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

const undoExample = `  # Go back to the revision before
  kubectl rollout-plus undo deployment/web

  # Go back to revision 3, and wait until it is complete
  kubectl rollout-plus undo deployment/web --to-revision 3 --wait

  # Go back step by step
  kubectl rollout-plus undo deployment/web --steps 10%,50%`

type undoFlags struct {
	rolloutFlags
	driveFlags
	wait    bool
	kubectl *kubectlrollout.UndoOptions
}

func newUndoCommand(env *environment) *cobra.Command {
	f := &undoFlags{kubectl: kubectlrollout.NewRolloutUndoOptions(env.IOStreams)}
	f.kubectl.CmdBaseName = "kubectl"
	cmd := &cobra.Command{
		Use:   "undo deployment/NAME",
		Short: "Go back to an earlier revision",
		Long: "Go back to an earlier revision, as kubectl rollout undo does: at once and\n" +
			"within the Deployment's own limits, or step by step with --steps. A rollout\n" +
			"that is open is aborted first.",
		Example: undoExample,
		Args:    arguments(oneDeployment), ValidArgsFunction: env.completeDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, env, args) },
	}
	cmd.Flags().Int64Var(&f.kubectl.ToRevision, "to-revision", 0, "The revision to rollback to. Default to 0 (last revision).")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "Wait until the earlier revision is fully available.")
	f.rolloutFlags.add(cmd)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "With --wait or --steps: how long to wait, with exit code 124; zero means for ever.")
	cmd.Flags().StringVar(&f.fieldManager, "field-manager", defaultFieldManager, "With --steps: name of the manager used to track field ownership.")
	cmdutil.AddDryRunFlag(cmd)
	f.kubectl.PrintFlags.AddFlags(cmd)
	return cmd
}

func (f *undoFlags) run(cmd *cobra.Command, env *environment, args []string) error {
	if err := f.validate(cmd); err != nil {
		return err
	}
	dryRun, suffix, err := dryRunOf(cmd)
	if err != nil {
		return err
	}
	options, err := f.options(dryRun)
	if err != nil {
		return err
	}
	key, err := env.key(args)
	if err != nil {
		return err
	}
	f.output = *f.kubectl.PrintFlags.OutputFormat
	if cmd.Flags().Changed("steps") {
		return f.gradually(cmd.Context(), env, key, options, suffix)
	}
	return f.atOnce(cmd, env, key, dryRun)
}

func (f *undoFlags) validate(cmd *cobra.Command) error {
	if f.kubectl.ToRevision < 0 {
		return flagError("to-revision", fmt.Sprint(f.kubectl.ToRevision),
			fmt.Errorf("unable to find specified revision %d in history", f.kubectl.ToRevision))
	}
	if cmd.Flags().Changed("steps") {
		return nil
	}
	for _, flag := range []string{"max-surge", "max-unavailable", "hold", "on-failure", "change-cause"} {
		if cmd.Flags().Changed(flag) {
			return usageError(fmt.Errorf("--%s goes with --steps", flag))
		}
	}
	return f.driveFlags.validate()
}

// gradually is a rollout to the earlier revision.
func (f *undoFlags) gradually(ctx context.Context, env *environment, key types.NamespacedName, options rollout.StartOptions, suffix string) error {
	change := rollout.Change{ToRevision: &f.kubectl.ToRevision, Cause: f.cause}
	return env.drive(ctx, []string{"deployment", key.Name}, f.driveFlags, verbs{suffix: suffix},
		func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
			if options.DryRun == rollout.DryRunNone {
				if result, err := abortOpen(ctx, engine, key); err != nil || result != nil && result.Outcome != rollout.RolledBack {
					return result, err
				}
			}
			return engine.Start(ctx, key, change, options)
		})
}

// abortOpen aborts an open rollout; it gives no result where none is open.
func abortOpen(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
	result, err := engine.Abort(ctx, key)
	if errors.Is(err, rollout.ErrNoRollout) {
		return nil, nil
	}
	return result, err
}

// atOnce is kubectl's undo, after an open rollout has been aborted. To go back from an open rollout is to abort it,
// unless a revision is asked for.
func (f *undoFlags) atOnce(cmd *cobra.Command, env *environment, key types.NamespacedName, dryRun rollout.DryRun) error {
	// kubectl finds out about an unknown -o only when it prints, after the work.
	if _, err := f.kubectl.PrintFlags.ToPrinter(); err != nil {
		return usageError(err)
	}
	printer, err := env.printer("", key)
	if err != nil {
		return err
	}
	engine, err := env.engine(f.fieldManager, printer.Event)
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(cmd.Context(), f.timeout)
	defer cancel()
	if dryRun == rollout.DryRunNone {
		result, err := abortOpen(ctx, engine, key)
		switch {
		case err != nil:
			return withHint(err, key)
		case result != nil && result.Outcome != rollout.RolledBack:
			return &exitError{code: outcomeCode(result, context.Cause(ctx), true), err: errors.New(sentence(key, result))}
		case result != nil && f.kubectl.ToRevision == 0:
			return f.printAborted(ctx, env, engine, key)
		}
	}
	if err := f.kubectl.Complete(env.factory, cmd, []string{"deployment/" + key.Name}); err != nil {
		return err
	}
	if err := f.kubectl.RunUndo(); err != nil || !f.wait || dryRun != rollout.DryRunNone {
		return err
	}
	return awaitComplete(ctx, engine, key)
}

// printAborted prints the Deployment as kubectl's undo does.
func (f *undoFlags) printAborted(ctx context.Context, env *environment, engine *rollout.Engine, key types.NamespacedName) error {
	deployment, err := engine.Client.AppsV1().Deployments(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	f.kubectl.PrintFlags.NamePrintFlags.Operation = "rolled back"
	printer, err := f.kubectl.PrintFlags.ToPrinter()
	if err != nil {
		return err
	}
	return printer.PrintObj(deployment, env.Out)
}
