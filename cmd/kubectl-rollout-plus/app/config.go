package app

import "github.com/spf13/cobra"

func newConfigCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Make configuration a part of each revision: wire, change, compare",
		Long: "Make ConfigMaps and Secrets a part of each revision: a pod template references\n" +
			"an immutable copy of what there was when it was rolled out.",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newConfigAffectedCommand(env), newConfigSetCommand(env), newConfigEditCommand(env), newConfigApplyCommand(env),
		newConfigAttachCommand(env), newConfigDetachCommand(env), newConfigHistoryCommand(env), newConfigDiffCommand(env),
		newConfigWatchCommand(env),
	)
	return cmd
}
