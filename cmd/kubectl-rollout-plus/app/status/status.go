// Package status holds the command status.
package status

import (
	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/wait"
)

const statusExample = `  # Wait until web is rolled out
  kubectl rollout-plus status deployment/web

  # Wait for everything with the label app=shop, for ten minutes at most
  kubectl rollout-plus status deployments,statefulsets -l app=shop --timeout 10m

  # Look once, and exit with 7 if the rollout is not finished
  kubectl rollout-plus status daemonset/agent --watch=false --exit-code`

// NewCommand returns the command status.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &wait.StatusFlags{}
	cmd := &cobra.Command{
		Use:         "status (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Annotations: cli.Reading(),
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
		ValidArgsFunction: env.CompleteWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.Run(cmd.Context(), env, args) },
	}
	f.Add(cmd)
	cmd.Flags().BoolVarP(&f.Watch, "watch", "w", true, "Watch the status of the rollout until it's done.")
	cmd.Flags().BoolVar(&f.ExitCode, "exit-code", false, "With --watch=false: exit with code 7 where a rollout is not finished.")
	cmd.Flags().DurationVar(&f.Timeout, "timeout", 0, "The length of time to wait before ending watch, zero means never.")
	cmd.Flags().Int64Var(&f.Revision, "revision", 0, "Pin to a specific revision for showing its status. Defaults to 0 (last revision).")
	cmd.Flags().StringVarP(&f.Output, "output", "o", "",
		`Output format: "json" writes one document per object and line, when its rollout has ended or it cannot be read.`)
	f.AddJudging(cmd)
	return cmd
}
