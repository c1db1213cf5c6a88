// Package config holds the command config and its subcommands.
package config

import (
	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

// NewCommand returns the command config.
func NewCommand(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Make configuration part of each revision: attach, change, compare",
		Long: "Make ConfigMaps and Secrets part of each revision. A pod template references an\n" +
			"immutable copy of the object as it was when the template was rolled out.",
		Args: cli.Arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newConfigAffectedCommand(env), newConfigSetCommand(env), newConfigEditCommand(env), newConfigApplyCommand(env),
		newConfigAttachCommand(env), newConfigDetachCommand(env), newConfigHistoryCommand(env), newConfigDiffCommand(env),
		newConfigWatchCommand(env),
	)
	return cmd
}
