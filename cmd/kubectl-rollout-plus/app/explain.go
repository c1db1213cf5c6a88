package app

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

const explainExample = `  # What stands in the way of a Deployment now
  kubectl rollout-plus explain deployment/web

  # The same for a script: exits with 4 if something does
  kubectl rollout-plus why statefulset/db -o json`

type explainFlags struct {
	selection selection
	output    string
	logLines  int64
}

func newExplainCommand(env *environment) *cobra.Command {
	f := &explainFlags{}
	cmd := &cobra.Command{
		Use:         "explain (TYPE NAME | TYPE/NAME)",
		Aliases:     []string{"why"},
		Annotations: reading(),
		Short:       "Explain what stands in the way of a workload",
		Long: "Explain what stands in the way of a Deployment, StatefulSet or DaemonSet now.\n" +
			"The output lists the causes by severity, with evidence, the last log lines of\n" +
			"failed containers, and the commands to run next. Nothing is written, and the\n" +
			"command does not wait.\n\n" +
			"Exit codes: 0 nothing stands in the way, 4 something does. Without the right to\n" +
			"list events or to get logs, the output is shorter and says so.",
		Example:           explainExample,
		ValidArgsFunction: env.completeWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.selection.add(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "json" writes a document per object.`)
	addLogLines(cmd, &f.logLines)
	return cmd
}

func addLogLines(cmd *cobra.Command, lines *int64) {
	cmd.Flags().Int64Var(lines, "log-lines", rollout.LogLines, "How many of the last log lines of a failed container to show.")
}

func checkLogLines(lines int64) error {
	if lines < 0 {
		return flagError("log-lines", strconv.FormatInt(lines, 10), errNegative)
	}
	return nil
}

func (f *explainFlags) run(ctx context.Context, env *environment, args []string) error {
	if err := checkLogLines(f.logLines); err != nil {
		return err
	}
	objects, engine, err := f.selection.looking(env, args, f.output)
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
		return f.selection.located(env, err)
	case !found:
		return env.noneFound()
	case inTheWay:
		return &exitError{code: ExitStanding}
	}
	return nil
}

// explain prints the state of one object, and reports whether something stands in its way.
func (f *explainFlags) explain(ctx context.Context, env *environment, engine *rollout.Engine, info *resource.Info) (bool, error) {
	workload, err := workloadIn(info)
	if err != nil {
		return false, err
	}
	told, err := engine.Explain(ctx, workload, f.logLines)
	if err != nil {
		return false, err
	}
	for i := range told.Findings {
		told.Findings[i] = *told.Findings[i].Connected(env.connection())
	}
	if f.output == "json" {
		printers.ExplainJSON(env.Out, objectOf(workload), told)
	} else {
		printers.ExplainText(env.Out, env.palette(env.Out), resultName(workload), told)
	}
	for _, blind := range told.Blind {
		env.tell("not everything is seen: %v", blind)
	}
	env.annotate(told.Findings)
	return told.InTheWay(), nil
}

// annotate prints findings as annotations for GitHub Actions.
func (env *environment) annotate(findings []rollout.Finding) {
	if !env.inActions() {
		return
	}
	for i := range findings {
		if !findings[i].Starting() {
			printers.Annotate(env.ErrOut, findings[i].Connected(env.connection()))
		}
	}
}

// inActions reports whether the command runs in GitHub Actions.
func (env *environment) inActions() bool {
	value, _ := env.lookupEnv("GITHUB_ACTIONS")
	return value == "true"
}
