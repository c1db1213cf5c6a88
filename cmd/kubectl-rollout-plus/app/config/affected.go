package config

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

const configAffectedExample = `  # Which workloads a change of the ConfigMap web would affect
  kubectl rollout-plus config affected web

  # Which would have to restart for a new greeting and without motd
  kubectl rollout-plus config affected web --from-literal=greeting=hi motd-

  # The same for a Secret, with every reason; values are never shown
  kubectl rollout-plus config affected secret/login --from-file=token -o wide`

type configAffectedFlags struct {
	kind   configuration.KindFlag
	source configuration.ConfigSource
	output string
}

func newConfigAffectedCommand(env *cli.Env) *cobra.Command {
	f := &configAffectedFlags{}
	cmd := &cobra.Command{
		Use:         "affected [TYPE/]NAME [KEY=VALUE] [KEY-]",
		Annotations: cli.Reading(),
		Short:       "Show which workloads a change of a ConfigMap or Secret affects",
		Long: "Show which workloads a change of a ConfigMap or Secret affects. The command\n" +
			"compares what the containers see before and after the change. Nothing is\n" +
			"written. The verdicts:\n\n" +
			"  restart      running containers do not see the change: environment, arguments,\n" +
			"               subPath files, files of a version, init containers\n" +
			"  live         only mounted files change, also in running containers\n" +
			"  none         no container sees the change\n" +
			"  block        new pods could not start: something that they require is missing\n" +
			"  unsupported  this cannot be decided, or the plugin does not replace such pods\n\n" +
			"TYPE is configmap (the default) or secret. KEY- removes a key. Without a\n" +
			"change, the command shows whom a change of every key would affect. For an\n" +
			"object that does not exist, it shows whose pods started with it.",
		Example: configAffectedExample,
		Args:    cli.Arguments(cobra.MinimumNArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.Add(cmd)
	f.source.Add(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "wide" shows every reason, "json" writes a document.`)
	return cmd
}

func (f *configAffectedFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	write, err := affectedWriter(f.output)
	if err != nil {
		return err
	}
	object, err := f.kind.Object(args[0])
	if err != nil {
		return cli.UsageError(err)
	}
	proposed, err := f.source.Proposal(env, object, args[1:])
	if err != nil {
		return cli.UsageError(err)
	}
	s, err := configuration.CurrentSession(env)
	if err != nil {
		return err
	}
	change, affected, err := s.Reader.Affected(ctx, object, proposed)
	if err != nil {
		return err
	}
	if len(affected) == 0 && f.output != "json" {
		_, _ = fmt.Fprintf(env.ErrOut, "No workload in namespace %s references %s.\n", s.Namespace, object)
		return nil
	}
	return write(env.Out, configuration.ToldAffected(change, affected))
}

func affectedWriter(output string) (func(io.Writer, *printers.Affected) error, error) {
	switch output {
	case "":
		return printers.AffectedTable, nil
	case "wide":
		return printers.AffectedWide, nil
	case "json":
		return printers.AffectedJSON, nil
	}
	return nil, cli.FlagError("output", output, errors.New("expected wide, json, or nothing for a table"))
}
