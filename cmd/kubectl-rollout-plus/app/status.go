package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"
)

const statusExample = `  # Wait until web is rolled out
  kubectl rollout-plus status deployment/web

  # Wait for everything with the label app=shop, for ten minutes at most
  kubectl rollout-plus status deployments,statefulsets -l app=shop --timeout 10m

  # Look once, and exit with 7 if the rollout is not finished
  kubectl rollout-plus status daemonset/agent --watch=false --exit-code`

type statusFlags struct {
	selection
	watch    bool
	exitCode bool
	revision int64
	output   string
	waitFlags
}

func newStatusCommand(env *environment) *cobra.Command {
	f := &statusFlags{}
	cmd := &cobra.Command{
		Use:         "status (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Annotations: reading(),
		Short:       "Show the progress of rollouts, and wait for their end",
		Long: "Show the progress of rollouts of Deployments, StatefulSets and DaemonSets, in\n" +
			"the words of kubectl rollout status, and wait for their end. Several rollouts\n" +
			"are awaited at the same time, within one --timeout. For a stepwise rollout, the\n" +
			"step is shown too.\n\n" +
			"The command ends early, with the cause, for a rollout that failed or has no\n" +
			"driver any more (exit code 4), that waits for somebody (6), or that goes back\n" +
			"(5). 124 means that --timeout passed, 7 comes from --exit-code, and 1 is any\n" +
			"other error. With several objects, the code is the first of 4, 5, 1, 6, 124 and\n" +
			"7 that one of them has.",
		Example:           statusExample,
		ValidArgsFunction: env.completeWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.add(cmd)
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", true, "Watch the status of the rollout until it's done.")
	cmd.Flags().BoolVar(&f.exitCode, "exit-code", false, "With --watch=false: exit with code 7 where a rollout is not finished.")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "The length of time to wait before ending watch, zero means never.")
	cmd.Flags().Int64Var(&f.revision, "revision", 0, "Pin to a specific revision for showing its status. Defaults to 0 (last revision).")
	cmd.Flags().StringVarP(&f.output, "output", "o", "",
		`Output format: "json" writes one document per object and line, when its rollout has ended or it cannot be read.`)
	f.addJudging(cmd)
	return cmd
}

func (f *statusFlags) validate(env *environment, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	switch {
	case f.revision < 0:
		return usageError(badRevision(f.revision))
	case f.output != "" && f.output != "json":
		return flagError("output", f.output, fmt.Errorf("expected json, or nothing for kubectl's lines"))
	}
	if err := f.waitFlags.validate(); err != nil {
		return err
	}
	return env.checkColor()
}

func (f *statusFlags) run(ctx context.Context, env *environment, args []string) error {
	if err := f.validate(env, args); err != nil {
		return err
	}
	find := func() (resource.Visitor, error) { return f.find(env, args) }
	if f.output != "" {
		find = func() (resource.Visitor, error) { return f.findEach(env, args) }
	}
	found, err := find()
	if err != nil {
		return err
	}
	run := &statusRun{statusFlags: f, env: env}
	return run.run(ctx, found)
}
