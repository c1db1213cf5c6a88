package config

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const configAttachExample = `  # All keys of the ConfigMap web as variables of deployment web
  kubectl rollout-plus config attach deployment/web --env-from-config web

  # One key as a variable, another as a file
  kubectl rollout-plus config attach statefulset/db \
    --env-from-config-key LEVEL=db:log-level \
    --mount-config db:db.conf=/config/db.conf

  # A Secret's keys as files, in the container agent
  kubectl rollout-plus config attach daemonset/agent -c agent \
    --mount-config secret/tls=/tls

  # One key as an argument
  kubectl rollout-plus config attach deployment/web \
    --env-from-config-key COLOR=web:color -- --color '$(COLOR)'`

type configAttachFlags struct {
	configuration.RollFlags
	configuration.WireFlags
	configuration.ModeFlags
	container string
	arguments []string
}

func newConfigAttachCommand(env *cli.Env) *cobra.Command {
	f := &configAttachFlags{}
	cmd := &cobra.Command{
		Use:   "attach TYPE/NAME [-- ARGUMENT...]",
		Short: "Give a workload keys of a ConfigMap or Secret, and roll it out",
		Long: "Give a Deployment, StatefulSet or DaemonSet keys of a ConfigMap or Secret, as\n" +
			"variables or as files, and roll it out step by step. Words after -- are added\n" +
			"to the container's arguments; $(VAR) in them is a variable.\n\n" +
			"The pod template references a version: an immutable copy of the object as it is\n" +
			"now. So each revision keeps its configuration. If another tool applies the\n" +
			"manifest, existing references keep their plain names.",
		Example:           configAttachExample,
		ValidArgsFunction: env.CompleteWorkload(),
		Args: cli.Arguments(func(cmd *cobra.Command, args []string) error {
			args, _ = configuration.AtDash(cmd, args)
			return cobra.ExactArgs(1)(cmd, args)
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			args, f.arguments = configuration.AtDash(cmd, args)
			return f.run(cmd.Context(), env, args)
		},
	}
	cmd.Flags().StringVarP(&f.container, "container", "c", "", "The container to give the keys to; the first by default.")
	f.Kind.Add(cmd)
	f.WireFlags.Add(cmd)
	f.AddMode(cmd)
	f.RollFlags.Add(cmd)
	return cmd
}

func (f *configAttachFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	wires, err := f.Wires()
	if err != nil {
		return err
	}
	if len(wires) == 0 {
		return cli.UsageError(configuration.ErrNoWire)
	}
	if err := f.CheckMode(); err != nil {
		return err
	}
	r, workload, err := f.Roller(env, args[0])
	if err != nil {
		return err
	}
	ctx, cancel := env.WithTimeout(ctx, f.Timeout)
	defer cancel()
	return r.Concluded(workload, f.attach(ctx, r, workload, wires))
}

func (f *configAttachFlags) attach(ctx context.Context, r *configuration.Roller, workload workload.Object, wires []attach.Wire) error {
	contents, err := r.WireContents(ctx, wires)
	if err != nil {
		return err
	}
	p, keeps := &attach.Pin{Contents: contents}, f.Keeps(workload, slices.Collect(maps.Keys(contents)), r.Engine.FieldManager)
	for _, text := range keeps.Lines(cli.NameOf(workload), configmap.Object{}) {
		r.Tell("%s", text)
	}
	return r.Pinned(ctx, p, configuration.Change{Workload: workload, Rewrite: func(template map[string]any) error {
		err := attach.Add(template, f.container, wires)
		if err == nil {
			err = attach.AddArguments(template, f.container, f.arguments)
		}
		if err != nil {
			return cli.UsageError(fmt.Errorf("%s: %w", cli.NameOf(workload), err))
		}
		p.Put(template, keeps)
		return nil
	}})
}
