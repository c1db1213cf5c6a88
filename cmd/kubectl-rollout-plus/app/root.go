package app

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the credentials of cloud providers in kubeconfig files

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/abort"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/check"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/config"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/create"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/diff"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/explain"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/history"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/pause"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/restart"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/resume"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/start"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/status"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/stream"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/undo"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/version"
)

// NewRootCommand builds the command tree.
func NewRootCommand(process Process, streams genericiooptions.IOStreams) *cobra.Command {
	return newRootCommand(process, streams)
}

// newRootCommand builds the command tree on streams that write to these backlogs.
func newRootCommand(process Process, streams genericiooptions.IOStreams, backlogs ...*stream.Backlog) *cobra.Command {
	env := cli.NewEnvironment(process.LookupEnv, streams, backlogs...)
	root := &cobra.Command{
		Use:   "kubectl-rollout_plus",
		Short: "Roll out, watch and roll back Deployments, step by step",
		Long: "Stepwise rolling updates of plain Deployments, StatefulSets and DaemonSets,\n" +
			"with exact pod counts and nothing installed in the cluster. The cluster holds\n" +
			"all state: every command may be interrupted, and another machine may continue.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: cli.DisplayName},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.UsageError(fmt.Errorf("unknown command %q; '%s --help' lists the commands", args[0], cli.DisplayName))
			}
			return cmd.Help()
		},
		PersistentPreRun:   func(cmd *cobra.Command, _ []string) { env.Begin(cmd) },
		PersistentPostRunE: func(*cobra.Command, []string) error { return env.Shared.Check() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return cli.UsageError(fmt.Errorf("%w; see '%s --help'", err, cli.CommandName(cmd)))
	})
	env.AddFlags(root)
	root.AddCommand(
		create.NewCommand(env), start.NewCommand(env), status.NewCommand(env), resume.NewCommand(env), abort.NewCommand(env),
		pause.NewCommand(env), restart.NewCommand(env), undo.NewCommand(env), history.NewCommand(env), diff.NewCommand(env),
		config.NewCommand(env), explain.NewCommand(env), check.NewCommand(env),
		version.NewCommand(env, process.Version), cli.NewExitCodesTopic(),
	)
	env.TellEnd(root)
	setUsage(root)
	return root
}
