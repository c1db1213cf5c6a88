// Package explain holds the command explain.
package explain

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

const explainExample = `  # What stands in the way of a Deployment now
  kubectl rollout-plus explain deployment/web

  # The same for a script: exits with 4 if something does
  kubectl rollout-plus why statefulset/db -o json`

type explainFlags struct {
	selection cli.Selection
	output    string
	logLines  int64
}

// NewCommand returns the command explain.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &explainFlags{}
	cmd := &cobra.Command{
		Use:         "explain (TYPE NAME | TYPE/NAME)",
		Aliases:     []string{"why"},
		Annotations: cli.Reading(),
		Short:       "Explain what stands in the way of a workload",
		Long: "Explain what stands in the way of a Deployment, StatefulSet or DaemonSet now.\n" +
			"The output lists the causes by severity, with evidence, the last log lines of\n" +
			"failed containers, and the commands to run next. Nothing is written, and the\n" +
			"command does not wait.\n\n" +
			"Exit codes: 0 nothing stands in the way, 4 something does. Without the right to\n" +
			"list events or to get logs, the output is shorter and says so.",
		Example:           explainExample,
		ValidArgsFunction: env.CompleteWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.selection.Add(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "json" writes a document per object.`)
	cli.AddLogLines(cmd, &f.logLines)
	return cmd
}

func (f *explainFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	if err := cli.CheckLogLines(f.logLines); err != nil {
		return err
	}
	objects, engine, err := f.selection.Looking(env, args, f.output)
	if err != nil {
		return err
	}
	found, inTheWay := false, false
	err = objects.Visit(func(info *resource.Info, _ error) error {
		found = true
		stands, err := f.explain(ctx, env, engine, info)
		inTheWay = inTheWay || stands
		return err
	})
	switch {
	case err != nil:
		return f.selection.Located(env, err)
	case !found:
		return env.NoneFound()
	case inTheWay:
		return &cli.Exit{Code: cli.ExitStanding}
	}
	return nil
}

// explain prints the state of one object, and reports whether something stands in its way.
func (f *explainFlags) explain(ctx context.Context, env *cli.Env, engine *rollout.Engine, info *resource.Info) (bool, error) {
	workload, err := cli.WorkloadIn(info)
	if err != nil {
		return false, err
	}
	told, err := engine.Explain(ctx, workload, f.logLines)
	if err != nil {
		return false, err
	}
	for i := range told.Findings {
		told.Findings[i] = *told.Findings[i].Connected(env.Connection())
	}
	if f.output == "json" {
		printers.ExplainJSON(env.Out, cli.ObjectOf(workload), told)
	} else {
		printers.ExplainText(env.Out, env.Palette(env.Out), cli.ResultName(workload), told)
	}
	for _, blind := range told.Blind {
		env.Tell("not everything is seen: %v", blind)
	}
	env.Annotate(told.Findings)
	return told.InTheWay(), nil
}
