package config

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

type configEditFlags struct {
	configuration.ChangeFlags
	kind configuration.KindFlag
}

func newConfigEditCommand(env *cli.Env) *cobra.Command {
	f := &configEditFlags{}
	cmd := &cobra.Command{
		Use:   "edit [TYPE/]NAME",
		Short: "Edit a ConfigMap or Secret, and roll it out",
		Long: "Edit a ConfigMap or Secret with the editor that KUBE_EDITOR or EDITOR names,\n" +
			"and roll out the workloads that the change affects. If the result does not\n" +
			"parse, the editor opens again and shows the error.\n\n" + configuration.ConfigChangeHelp,
		Example: "  # Edit the ConfigMap web\n  KUBE_EDITOR=nano kubectl rollout-plus config edit web",
		Args:    cli.Arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.Add(cmd)
	f.Add(cmd)
	return cmd
}

func (f *configEditFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	object, err := f.kind.Object(args[0])
	if err != nil {
		return cli.UsageError(err)
	}
	e := &editing{object: object}
	return e.end(env, f.Change(ctx, env, object, func(c *configuration.Changer) error {
		if err := c.MustExist(); err != nil {
			return err
		}
		e.dry, e.out = c.Options.DryRun != rollout.DryRunNone, c.Env.Out
		c.Want, err = e.edited(ctx, c.Head.Content)
		return err
	}))
}
