package app

import "github.com/spf13/cobra"

func newCreateCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a Deployment or a ConfigMap",
		Long:  "Create a Deployment or a ConfigMap.",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCreateDeploymentCommand(env), newCreateConfigMapCommand(env))
	return cmd
}
