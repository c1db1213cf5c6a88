// Package diff holds the command diff.
package diff

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/compare"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
)

const diffExample = `  # What the latest revision of web changed
  kubectl rollout-plus diff deployment/web

  # What has changed since revision 3
  kubectl rollout-plus diff deployment/web --revision 3

  # From revision 2 to revision 4
  kubectl rollout-plus diff daemonset/agent --revision 2 --revision 4`

type diffFlags struct {
	revisions []int64
}

// NewCommand returns the command diff.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &diffFlags{}
	cmd := &cobra.Command{
		Use:         "diff (TYPE NAME | TYPE/NAME)",
		Annotations: cli.Reading(),
		Short:       "Show what a revision changed",
		Long: "Show what differs between the pod templates of two revisions of a Deployment,\n" +
			"StatefulSet or DaemonSet. Fields that the API server and the controllers fill\n" +
			"in are left out. Without --revision, compare the previous revision with the\n" +
			"current one.\n\n" +
			"If the revisions' ConfigMaps and Secrets are recorded, their contents are\n" +
			"compared too. Values of Secrets are never shown.\n\n" +
			"KUBECTL_EXTERNAL_DIFF names a program to compare with, as for kubectl diff. It\n" +
			"runs once for the templates, and once for each object that differs.\n\n" +
			"Exit codes: 0 nothing differs, 1 something differs, 2 or more an error.",
		Example: diffExample, ValidArgsFunction: env.CompleteWorkload(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return compare.InTrouble(f.run(cmd.Context(), env, args))
		},
	}
	cmd.Flags().Int64SliceVar(&f.revisions, "revision", nil,
		"Compare revision `N` with the current one or, given twice, the first with the second.")
	cmd.Flags().Lookup("revision").DefValue = "" // help would show an empty list
	return cmd
}

func (f *diffFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	if err := env.CheckColor(); err != nil {
		return err
	}
	if err := f.validate(); err != nil {
		return cli.UsageError(err)
	}
	named, err := env.NamedWorkload(args)
	if err != nil {
		return err
	}
	kind, name, namespace := named.Kind, named.Name, named.Namespace
	engine, err := env.Engine(cli.DefaultFieldManager, nil)
	if err != nil {
		return err
	}
	history, err := history.Read(ctx, engine.Client, kind, types.NamespacedName{Namespace: namespace, Name: name}, false)
	if err != nil {
		return cli.Located(err, func(string, string) string { return namespace })
	}
	object := named.ResultName()
	from, to, err := f.pick(history, object)
	if err != nil {
		return fmt.Errorf("%w; %s lists the revisions", err, cli.CommandOn("history", named))
	}
	templates, err := compare.Templates(object, from, to)
	if err != nil {
		return err
	}
	reader := &store.Reader{Client: engine.Client, Namespace: namespace, Emit: env.ConfigEvent}
	configs, err := compareConfig(ctx, env, reader, from, to)
	if err != nil {
		return err
	}
	return compare.Show(env, append([]compare.Comparison{templates}, configs...))
}

func (f *diffFlags) validate() error {
	for _, revision := range f.revisions {
		if revision <= 0 {
			return cli.BadRevision(revision)
		}
	}
	if len(f.revisions) > 2 {
		return fmt.Errorf("--revision was given %d times; two revisions can be compared", len(f.revisions))
	}
	return nil
}

// pick selects the two templates to compare.
func (f *diffFlags) pick(history *history.History, object string) (from, to compare.Side, err error) {
	if current := history.Current(); current != nil {
		to.Number, to.Revision = current.Number, current.UID
	}
	to.Template = history.Template
	find := func(number int64) (compare.Side, error) {
		revision := history.Find(number)
		if revision == nil {
			return compare.Side{}, fmt.Errorf("unable to find the specified revision: %s has no revision %d", object, number)
		}
		return compare.Side{Number: number, Template: revision.Template, Revision: revision.UID}, nil
	}
	switch len(f.revisions) {
	case 0:
		previous := history.Previous()
		if previous == nil {
			return from, to, fmt.Errorf("%s has no revision before the current one to compare it with", object)
		}
		return compare.Side{Number: previous.Number, Template: previous.Template, Revision: previous.UID}, to, nil
	case 1:
		from, err = find(f.revisions[0])
		return from, to, err
	}
	if from, err = find(f.revisions[0]); err == nil {
		to, err = find(f.revisions[1])
	}
	return from, to, err
}
