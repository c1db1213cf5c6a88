package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// DriveFlags are the flags of every command that drives a rollout.
type DriveFlags struct {
	Output       string
	FieldManager string
	WaitFlags
}

// Add adds all of the flags to a command.
func (f *DriveFlags) Add(cmd *cobra.Command) {
	AddEvents(cmd, &f.Output)
	AddFieldManager(cmd, &f.FieldManager)
	f.AddJudging(cmd)
	AddWaitTerminated(cmd, &f.WaitTerminated)
	f.AddTimeout(cmd)
}

// AddFieldManager adds --field-manager.
func AddFieldManager(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "field-manager", DefaultFieldManager, "Name of the manager used to track field ownership.")
}

// Validate returns an error for the first value that is not allowed.
func (f *DriveFlags) Validate() error {
	if err := f.WaitFlags.Validate(); err != nil {
		return err
	}
	return CheckFieldManager(f.FieldManager)
}

// CheckFieldManager returns an error if name cannot be the name of a field manager.
func CheckFieldManager(name string) error {
	if name == "" || len(name) > 128 {
		return FlagError("field-manager", name, errFieldManager)
	}
	return nil
}

// WithTimeout limits the command's context by its own timeout; 0 means none.
func (env *Env) WithTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, rollout.ErrTimeout)
	env.limited, env.cause = true, func() error { return context.Cause(ctx) }
	return ctx, cancel
}

// DriveTo runs one of the engine's methods on a workload, and prints the result.
func (env *Env) DriveTo(ctx context.Context, object printers.Object, flags DriveFlags, verbs Verbs, printer printers.Printer,
	work func(context.Context, *rollout.Engine, types.NamespacedName) (*rollout.Result, error),
) error {
	if err := flags.Validate(); err != nil {
		return err
	}
	engine, err := env.Engine(flags.FieldManager, printer.Event)
	if err != nil {
		return err
	}
	flags.Tune(engine)
	ctx, cancel := env.WithTimeout(ctx, flags.Timeout)
	defer cancel()
	result, err := work(ctx, engine, types.NamespacedName{Namespace: object.Namespace, Name: object.Name})
	return env.Conclude(printer, object, result, err, context.Cause(ctx), verbs)
}
