package wait

import (
	"context"
	"fmt"

	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

// StatusFlags are the flags of status.
type StatusFlags struct {
	cli.Selection
	Watch    bool
	ExitCode bool
	Revision int64
	Output   string
	cli.WaitFlags
}

func (f *StatusFlags) validate(env *cli.Env, args []string) error {
	if err := f.Check(args); err != nil {
		return err
	}
	switch {
	case f.Revision < 0:
		return cli.UsageError(cli.BadRevision(f.Revision))
	case f.Output != "" && f.Output != "json":
		return cli.FlagError("output", f.Output, fmt.Errorf("expected json, or nothing for kubectl's lines"))
	}
	if err := f.Validate(); err != nil {
		return err
	}
	return env.CheckColor()
}

// Run checks the flags, and waits for the named objects.
func (f *StatusFlags) Run(ctx context.Context, env *cli.Env, args []string) error {
	if err := f.validate(env, args); err != nil {
		return err
	}
	find := func() (resource.Visitor, error) { return f.Find(env, args) }
	if f.Output != "" {
		find = func() (resource.Visitor, error) { return f.FindEach(env, args) }
	}
	found, err := find()
	if err != nil {
		return err
	}
	run := &statusRun{StatusFlags: f, env: env}
	return run.run(ctx, found)
}
