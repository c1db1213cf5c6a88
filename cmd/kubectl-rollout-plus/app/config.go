package app

import "github.com/spf13/cobra"

func newConfigCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Make configuration part of each revision: attach, change, compare",
		Long: "Make ConfigMaps and Secrets part of each revision. A pod template references an\n" +
			"immutable copy of the object as it was when the template was rolled out.",
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
