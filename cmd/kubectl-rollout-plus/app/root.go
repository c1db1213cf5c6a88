package app

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the credentials of cloud providers in kubeconfig files
)

// NewRootCommand builds the command tree.
func NewRootCommand(process Process, streams genericiooptions.IOStreams) *cobra.Command {
	return newRootCommand(process, streams)
}

// newRootCommand builds the command tree on streams that write to these backlogs.
func newRootCommand(process Process, streams genericiooptions.IOStreams, backlogs ...*backlog) *cobra.Command {
	env := newEnvironment(process.LookupEnv, streams, backlogs...)
	root := &cobra.Command{
		Use:   "kubectl-rollout_plus",
		Short: "Roll out, watch and roll back Deployments, step by step",
		Long: "Stepwise rolling updates of plain Deployments, StatefulSets and DaemonSets,\n" +
			"with exact pod counts and nothing installed in the cluster. The cluster holds\n" +
			"all state: every command may be interrupted, and another machine may continue.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: displayName},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(fmt.Errorf("unknown command %q; '%s --help' lists the commands", args[0], displayName))
			}
			return cmd.Help()
		},
		PersistentPreRun:   func(cmd *cobra.Command, _ []string) { env.begin(cmd) },
		PersistentPostRunE: func(*cobra.Command, []string) error { return env.shared.check() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w; see '%s --help'", err, commandName(cmd)))
	})
	env.addFlags(root)
	root.AddCommand(
		newCreateCommand(env), newStartCommand(env), newStatusCommand(env), newResumeCommand(env), newAbortCommand(env),
		newPauseCommand(env), newRestartCommand(env), newUndoCommand(env), newHistoryCommand(env), newDiffCommand(env),
		newConfigCommand(env), newExplainCommand(env), newCheckCommand(env),
		newVersionCommand(env, process.Version), newExitCodesTopic(),
	)
	env.tellEnd(root)
	setUsage(root)
	return root
}
