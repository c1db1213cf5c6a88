package config

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

const configSetExample = `  # Another greeting, without the key motd
  kubectl rollout-plus config set web greeting=hi motd-

  # A file, from a script, in two steps
  kubectl rollout-plus config set web --from-file=app.conf --yes --steps 50%

  # A Secret; values are never shown
  kubectl rollout-plus config set secret/login --from-file=token`

type configSetFlags struct {
	configuration.ChangeFlags
	kind   configuration.KindFlag
	source configuration.ConfigSource
}

func newConfigSetCommand(env *cli.Env) *cobra.Command {
	f := &configSetFlags{}
	cmd := &cobra.Command{
		Use:   "set [TYPE/]NAME [KEY=VALUE] [KEY-]",
		Short: "Change keys of a ConfigMap or Secret, and roll out the change",
		Long: "Change keys of a ConfigMap or Secret, and roll out the workloads that the\n" +
			"change affects.\n\n" + configuration.ConfigChangeHelp,
		Example: configSetExample,
		Args:    cli.Arguments(cobra.MinimumNArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.Add(cmd)
	f.source.Add(cmd)
	f.Add(cmd)
	return cmd
}

func (f *configSetFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	object, err := f.kind.Object(args[0])
	if err != nil {
		return cli.UsageError(err)
	}
	proposed, err := f.source.Proposal(env, object, args[1:])
	if err != nil {
		return cli.UsageError(err)
	}
	if proposed == nil {
		return cli.UsageError(errors.New("no change is given: use KEY=VALUE, KEY-, --from-file, --from-literal or --from-env-file"))
	}
	return f.Change(ctx, env, object, func(c *configuration.Changer) error {
		if err := c.MustExist(); err != nil {
			return err
		}
		if err := proposed.Check(object, c.Head.Content, c.Namespace); err != nil {
			return err
		}
		c.Want = c.Head.Content.With(proposed.Put, proposed.Removed)
		return cli.UsageError(configmap.CheckSize(object, c.Want))
	})
}
