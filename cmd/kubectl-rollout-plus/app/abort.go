package app

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

func newAbortCommand(env *environment) *cobra.Command {
	var flags driveFlags
	cmd := &cobra.Command{
		Use:   "abort (TYPE NAME | TYPE/NAME)",
		Short: "Go back from an open rollout to the old version",
		Long: "Go back from an open rollout to the old version, and wait until that is fully\n" +
			"available again. One write begins the way back: the old version returns even if\n" +
			"the command is interrupted.",
		Example: "  # Give up the rollout of web\n  kubectl rollout-plus abort deployment/web",
		Args:    arguments(namesWorkload), ValidArgsFunction: env.completeWorkload(),
		RunE: func(cmd *cobra.Command, args []string) error {
			object, err := env.namedWorkload(args)
			if err != nil {
				return err
			}
			printer, err := env.printer(flags.output, object)
			if err != nil {
				return err
			}
			return env.driveTo(cmd.Context(), object, flags, verbs{goesBack: true}, printer,
				restore.ThenConclude(env.configEvent, object.Kind, func(
					ctx context.Context, engine *rollout.Engine, key types.NamespacedName,
				) (*rollout.Result, error) {
					return engine.Abort(ctx, object.Kind, key)
				}))
		},
	}
	flags.add(cmd)
	return cmd
}
