package app

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

func newAbortCommand(env *environment) *cobra.Command {
	var flags driveFlags
	cmd := &cobra.Command{
		Use:   "abort deployment/NAME",
		Short: "Go back from an open rollout to the old version",
		Long: "Go back from an open rollout to the old version, and wait until it is fully\n" +
			"available again. One write does it: should the command be interrupted, the old\n" +
			"version returns all the same.",
		Example: "  # Give up the rollout of web\n  kubectl rollout-plus abort deployment/web",
		Args:    arguments(oneDeployment), ValidArgsFunction: env.completeDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.drive(cmd.Context(), args, flags, verbs{goesBack: true},
				env.minding(func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
					return engine.Abort(ctx, key)
				}))
		},
	}
	flags.add(cmd)
	return cmd
}
