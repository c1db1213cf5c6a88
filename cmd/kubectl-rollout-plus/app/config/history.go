package config

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

type configHistoryFlags struct {
	kind   configuration.KindFlag
	output string
}

func newConfigHistoryCommand(env *cli.Env) *cobra.Command {
	f := &configHistoryFlags{}
	cmd := &cobra.Command{
		Use:         "history [TYPE/]NAME",
		Annotations: cli.Reading(),
		Short:       "List the versions of a ConfigMap or Secret, and what uses them",
		Long: "List the versions of a ConfigMap or Secret, the oldest first. Each line shows\n" +
			"the age, the keys that changed since the version before, and the revisions that\n" +
			"use it. A revision in parentheses was left while the object held that version.\n\n" +
			"A version is deleted with the last of these revisions. Values are not shown.",
		Example: "  # The versions of the ConfigMap web\n  kubectl rollout-plus config history web",
		Args:    cli.Arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.Add(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "json" writes a document.`)
	return cmd
}

func (f *configHistoryFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	if f.output != "" && f.output != "json" {
		return cli.FlagError("output", f.output, errors.New("expected json, or nothing for a table"))
	}
	object, err := f.kind.Object(args[0])
	if err != nil {
		return cli.UsageError(err)
	}
	s, err := configuration.CurrentSession(env)
	if err != nil {
		return err
	}
	now, err := s.Reader.Content(ctx, object)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	versions, err := s.List(ctx, object)
	if err != nil {
		return err
	}
	if len(versions) == 0 && now == nil {
		return s.Absent(object)
	}
	if err := s.LearnUsers(ctx, versions); err != nil {
		return err
	}
	told := toldVersions(s, object, now, versions)
	if f.output == "json" {
		return printers.ConfigVersionsJSON(env.Out, told)
	}
	if len(versions) == 0 {
		_, _ = fmt.Fprintf(env.ErrOut, "No version of %s is recorded in namespace %s.\n", object, s.Namespace)
		return nil
	}
	return printers.ConfigVersionsTable(env.Out, told)
}

// toldVersions converts versions to what is printed. It leaves out all values.
func toldVersions(s *configuration.ConfigSession, head configmap.Object, now *configmap.Content, versions []store.Listed) *printers.ConfigVersions {
	told := &printers.ConfigVersions{
		SchemaVersion: printers.SchemaVersion, Config: printers.Config{Kind: string(head.Kind), Name: head.Name},
		Versions: make([]printers.ConfigVersion, len(versions)),
	}
	before := &configmap.Content{}
	for i := range versions {
		v := &versions[i]
		created := v.Meta.CreationTimestamp.Time
		told.Versions[i] = printers.ConfigVersion{
			Name: v.Object.Name, CreatedAt: created.UTC(), AgeSeconds: int64(s.Versions.Clock.Since(created).Seconds()),
			ChangedKeys: append([]string{}, configmap.ChangedKeys(before, v.Content)...), UsedBy: append([]string{}, v.Users...), LeftBy: v.Leavers,
			Current: now != nil && now.Equal(v.Content),
		}
		before = v.Content
	}
	return told
}
