package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

const configAffectedExample = `  # Which workloads a change of the ConfigMap web would affect
  kubectl rollout-plus config affected web

  # Which would have to restart for a new greeting and without motd
  kubectl rollout-plus config affected web --from-literal=greeting=hi motd-

  # The same for a Secret, with every reason; values are never shown
  kubectl rollout-plus config affected secret/login --from-file=token -o wide`

type configAffectedFlags struct {
	kind   kindFlag
	source configSource
	output string
}

func newConfigAffectedCommand(env *environment) *cobra.Command {
	f := &configAffectedFlags{}
	cmd := &cobra.Command{
		Use:         "affected [TYPE/]NAME [KEY=VALUE] [KEY-]",
		Annotations: reading(),
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
		Args:    arguments(cobra.MinimumNArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.add(cmd)
	f.source.add(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "wide" shows every reason, "json" writes a document.`)
	return cmd
}

func (f *configAffectedFlags) run(ctx context.Context, env *environment, args []string) error {
	write, err := affectedWriter(f.output)
	if err != nil {
		return err
	}
	object, err := f.kind.object(args[0])
	if err != nil {
		return usageError(err)
	}
	proposed, err := f.source.proposal(env, object, args[1:])
	if err != nil {
		return usageError(err)
	}
	s, err := currentSession(env)
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
	return write(env.Out, toldAffected(change, affected))
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
	return nil, flagError("output", output, errors.New("expected wide, json, or nothing for a table"))
}

// toldAffected converts judged workloads to what is printed. It leaves out all values.
func toldAffected(change *impact.Change, affected []impact.Affected) *printers.Affected {
	told := &printers.Affected{
		SchemaVersion: printers.SchemaVersion,
		Config:        printers.Config{Kind: string(change.Object.Kind), Name: change.Object.Name},
		ChangedKeys:   append([]string{}, configmap.ChangedKeys(change.Old, change.New)...),
		Workloads:     make([]printers.AffectedWorkload, len(affected)),
		Proposed:      !change.Every,
		Stale:         change.Stale,
		Gone:          change.New == nil,
	}
	for i := range affected {
		a := &affected[i]
		w := printers.AffectedWorkload{
			Kind: a.Kind, Name: a.Name, Verdict: string(a.Verdict), Note: a.Note, Reasons: make([]printers.AffectedReason, len(a.Reasons)),
		}
		for j := range a.Reasons {
			r := &a.Reasons[j]
			w.Reasons[j] = printers.AffectedReason{
				Container: r.Container, Source: string(r.Source), Key: r.Key, Variable: r.Variable, Path: r.Path, Reason: r.Text,
			}
		}
		told.Workloads[i] = w
	}
	return told
}
