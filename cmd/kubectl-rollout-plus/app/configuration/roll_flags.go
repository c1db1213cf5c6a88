package configuration

import (
	"github.com/spf13/cobra"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// RollFlags are the flags of all commands that roll out workloads because their configuration changes.
type RollFlags struct {
	cli.RolloutFlags
	FieldManager string
	cli.WaitFlags
	SkipChecks bool
	Output     string
	// DryRunFlag returns the value of --dry-run. It is nil for commands without that flag.
	DryRunFlag func() (rollout.DryRun, string, error)
}

// Add adds all of the flags to a command.
func (f *RollFlags) Add(cmd *cobra.Command) {
	f.AddWithoutTimeout(cmd)
	cmdutil.AddDryRunFlag(cmd)
	f.DryRunFlag = func() (rollout.DryRun, string, error) { return cli.DryRunOf(cmd) }
	f.AddTimeout(cmd)
}

// AddWithoutTimeout leaves out --timeout and --dry-run.
func (f *RollFlags) AddWithoutTimeout(cmd *cobra.Command) {
	f.RolloutFlags.Add(cmd)
	cli.AddFieldManager(cmd, &f.FieldManager)
	f.AddJudging(cmd)
	cli.AddWaitTerminated(cmd, &f.WaitTerminated)
	cli.AddSkipChecks(cmd, &f.SkipChecks)
	cli.AddEvents(cmd, &f.Output)
}

// complete returns a roller with the checked values of the flags. The roller has no namespace until connect sets one.
func (f *RollFlags) complete() (*Roller, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if err := cli.CheckFieldManager(f.FieldManager); err != nil {
		return nil, err
	}
	r, dryRun := &Roller{cause: f.Cause, waits: cli.WaitFlags{LogLines: f.LogLines, Patience: f.Patience, WaitTerminated: f.WaitTerminated}}, rollout.DryRunNone
	var err error
	if f.DryRunFlag != nil {
		if dryRun, r.suffix, err = f.DryRunFlag(); err != nil {
			return nil, err
		}
	}
	r.Options, err = f.Options(dryRun)
	r.Options.SkipChecks = f.SkipChecks
	return r, err
}

// connect gives a roller its session in a namespace.
func (f *RollFlags) connect(env *cli.Env, r *Roller, namespace string) error {
	env, err := env.Telling(f.Output)
	if err != nil {
		return err
	}
	s, err := NewSession(env, namespace, f.FieldManager)
	if err == nil {
		r.ConfigSession, s.Versions.Foresees = s, r.Options.DryRun == rollout.DryRunClient
	}
	return err
}

// Roller returns a connected roller and the workload that an argument names.
func (f *RollFlags) Roller(env *cli.Env, argument string) (*Roller, workload.Object, error) {
	r, err := f.complete()
	if err != nil {
		return nil, nil, err
	}
	if env, err = env.Telling(f.Output); err != nil {
		return nil, nil, err
	}
	workload, err := env.OneWorkload(argument)
	if err != nil {
		env.Unread(argument, err)
		return nil, nil, err
	}
	return r, workload, f.connect(env, r, workload.GetNamespace())
}
