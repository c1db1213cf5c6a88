package app

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

type configEditFlags struct {
	changeFlags
	kind kindFlag
}

func newConfigEditCommand(env *environment) *cobra.Command {
	f := &configEditFlags{}
	cmd := &cobra.Command{
		Use:   "edit [TYPE/]NAME",
		Short: "Edit a ConfigMap or Secret, and roll it out",
		Long: "Edit a ConfigMap or Secret with the editor that KUBE_EDITOR or EDITOR names,\n" +
			"and roll out the workloads that the change affects. If the result does not\n" +
			"parse, the editor opens again and shows the error.\n\n" + configChangeHelp,
		Example: "  # Edit the ConfigMap web\n  KUBE_EDITOR=nano kubectl rollout-plus config edit web",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.add(cmd)
	f.add(cmd)
	return cmd
}

func (f *configEditFlags) run(ctx context.Context, env *environment, args []string) error {
	object, err := f.kind.object(args[0])
	if err != nil {
		return usageError(err)
	}
	e := &editing{object: object}
	return e.end(env, f.change(ctx, env, object, func(c *changer) error {
		if err := c.mustExist(); err != nil {
			return err
		}
		e.dry, e.out = c.options.DryRun != rollout.DryRunNone, c.env.Out
		c.want, err = e.edited(ctx, c.head.Content)
		return err
	}))
}
