package app

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

func newResumeCommand(env *environment) *cobra.Command {
	var flags driveFlags
	cmd := &cobra.Command{
		Use:   "resume deployment/NAME",
		Short: "Go on with a rollout that stands at a step",
		Long: "Go on with a rollout that stands at a step, from the cluster's state alone: it\n" +
			"does not matter who began it, on which machine, or how that ended. A pod\n" +
			"template that somebody changed meanwhile becomes the new version.",
		Example: "  # Go on with the rollout of web\n  kubectl rollout-plus resume deployment/web",
		Args:    arguments(oneDeployment), ValidArgsFunction: env.completeDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.drive(cmd.Context(), args, flags, verbs{},
				func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
					return engine.Resume(ctx, key)
				})
		},
	}
	flags.add(cmd)
	return cmd
}
