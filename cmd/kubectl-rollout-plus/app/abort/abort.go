// Package abort holds the command abort.
package abort

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// NewCommand returns the command abort.
func NewCommand(env *cli.Env) *cobra.Command {
	var flags cli.DriveFlags
	cmd := &cobra.Command{
		Use:   "abort (TYPE NAME | TYPE/NAME)",
		Short: "Go back from an open rollout to the old version",
		Long: "Go back from an open rollout to the old version, and wait until that is fully\n" +
			"available again. One write begins the way back: the old version returns even if\n" +
			"the command is interrupted.",
		Example: "  # Give up the rollout of web\n  kubectl rollout-plus abort deployment/web",
		Args:    cli.Arguments(cli.NamesWorkload), ValidArgsFunction: env.CompleteWorkload(),
		RunE: func(cmd *cobra.Command, args []string) error {
			object, err := env.NamedWorkload(args)
			if err != nil {
				return err
			}
			printer, err := env.Printer(flags.Output, object)
			if err != nil {
				return err
			}
			return env.DriveTo(cmd.Context(), object, flags, cli.Verbs{GoesBack: true}, printer,
				restore.ThenConclude(env.ConfigEvent, object.Kind, func(
					ctx context.Context, engine *rollout.Engine, key types.NamespacedName,
				) (*rollout.Result, error) {
					return engine.Abort(ctx, object.Kind, key)
				}))
		},
	}
	flags.Add(cmd)
	return cmd
}
