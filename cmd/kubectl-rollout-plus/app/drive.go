package app

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// driveFlags are the flags of every command that drives a rollout.
type driveFlags struct {
	output       string
	fieldManager string
	waitFlags
}

func (f *driveFlags) add(cmd *cobra.Command) {
	addEvents(cmd, &f.output)
	cmd.Flags().StringVar(&f.fieldManager, "field-manager", defaultFieldManager, "Name of the manager used to track field ownership.")
	f.addJudging(cmd)
	f.addTimeout(cmd)
}

func (f *driveFlags) addTimeout(cmd *cobra.Command) {
	addWaitTerminated(cmd, &f.waitTerminated)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "How long to work before leaving the rollout where it stands, with exit code 124; zero means no limit.")
}

func (f *driveFlags) validate() error {
	if err := f.waitFlags.validate(); err != nil {
		return err
	}
	return checkFieldManager(f.fieldManager)
}

func checkFieldManager(name string) error {
	if name == "" || len(name) > 128 {
		return flagError("field-manager", name, errFieldManager)
	}
	return nil
}

// withTimeout limits the command's context by its own timeout; 0 means none.
func (env *environment) withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, rollout.ErrTimeout)
	env.limited, env.cause = true, func() error { return context.Cause(ctx) }
	return ctx, cancel
}

// driveTo runs one of the engine's methods on a workload, and prints the result.
func (env *environment) driveTo(ctx context.Context, object printers.Object, flags driveFlags, verbs verbs, printer printers.Printer,
	work func(context.Context, *rollout.Engine, types.NamespacedName) (*rollout.Result, error),
) error {
	if err := flags.validate(); err != nil {
		return err
	}
	engine, err := env.engine(flags.fieldManager, printer.Event)
	if err != nil {
		return err
	}
	flags.tune(engine)
	ctx, cancel := env.withTimeout(ctx, flags.timeout)
	defer cancel()
	result, err := work(ctx, engine, types.NamespacedName{Namespace: object.Namespace, Name: object.Name})
	return env.conclude(printer, object, result, err, context.Cause(ctx), verbs)
}
