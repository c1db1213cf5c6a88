// Package create holds the command create and its subcommands.
package create

import (
	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

// NewCommand returns the command create.
func NewCommand(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a Deployment or a ConfigMap",
		Long:  "Create a Deployment or a ConfigMap.",
		Args:  cli.Arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCreateDeploymentCommand(env), newCreateConfigMapCommand(env))
	return cmd
}
