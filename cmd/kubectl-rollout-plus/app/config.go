package app

import "github.com/spf13/cobra"

func newConfigCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "See what a change of a ConfigMap or Secret means for workloads",
		Long:  "See what a change of a ConfigMap or Secret means for workloads.",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigAffectedCommand(env))
	return cmd
}
