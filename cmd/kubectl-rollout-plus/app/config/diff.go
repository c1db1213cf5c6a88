package config

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/compare"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

func newConfigDiffCommand(env *cli.Env) *cobra.Command {
	kind := &configuration.KindFlag{}
	cmd := &cobra.Command{
		Use:         "diff [TYPE/]NAME [VERSION] [VERSION]",
		Annotations: cli.Reading(),
		Short:       "Compare versions of a ConfigMap or Secret",
		Long: "Compare two versions of a ConfigMap or Secret, or one version with the present\n" +
			"content. Without a version, compare the present content with the newest version\n" +
			"that differs. Values of Secrets are not shown.\n\n" +
			"Exit codes: 0 nothing differs, 1 something differs, 2 or more an error.\n" +
			"KUBECTL_EXTERNAL_DIFF names a program to compare with, as for diff.",
		Example: "  # What has changed since the newest other version\n  kubectl rollout-plus config diff web\n\n" +
			"  # Between two versions\n  kubectl rollout-plus config diff web m8mt92gg65 hhh9dd84bk",
		Args: cli.Arguments(cobra.RangeArgs(1, 3)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return compare.InTrouble(diffConfig(cmd.Context(), env, kind, args))
		},
	}
	kind.Add(cmd)
	return cmd
}

func diffConfig(ctx context.Context, env *cli.Env, kind *configuration.KindFlag, args []string) error {
	if err := env.CheckColor(); err != nil {
		return err
	}
	object, err := kind.Object(args[0])
	if err != nil {
		return cli.UsageError(err)
	}
	s, err := configuration.CurrentSession(env)
	if err != nil {
		return err
	}
	versions, err := s.List(ctx, object)
	if err != nil {
		return err
	}
	sides := make([]compare.ConfigSide, 0, 2)
	for _, name := range args[1:] {
		side, err := versionNamed(object, versions, name)
		if err != nil {
			return cli.UsageError(err)
		}
		sides = append(sides, side)
	}
	if len(sides) < 2 {
		now, err := s.Existing(ctx, object)
		if err != nil {
			return err
		}
		if len(sides) == 0 {
			// Without the right to list revisions, names decide between versions of the same second.
			if store.SameAge(versions) {
				if err := s.LearnUsers(ctx, versions); err != nil && !apierrors.IsForbidden(err) {
					return err
				}
			}
			side, found := newestOther(versions, now.Content)
			if !found {
				return nil // no version differs
			}
			sides = append(sides, side)
		}
		sides = append(sides, compare.ConfigSide{Name: object.String() + " (now)", Content: now.Content})
	}
	return compare.Show(env, []compare.Comparison{compare.Contents(object.Kind, sides[0], sides[1])})
}

// versionNamed returns the version with this name or this hash.
func versionNamed(head configmap.Object, versions []store.Listed, name string) (compare.ConfigSide, error) {
	names := make([]string, len(versions))
	for i := range versions {
		v := &versions[i]
		if full := v.Object.Name; full == name || full == head.Name+"-"+name {
			return compare.ConfigSide{Name: full, Content: v.Content}, nil
		}
		names[i] = v.Object.Name
	}
	if len(names) == 0 {
		return compare.ConfigSide{}, fmt.Errorf("%s has no versions", head)
	}
	return compare.ConfigSide{}, fmt.Errorf("%s has no version %q; it has %s", head, name, strings.Join(names, ", "))
}

// newestOther returns the newest version that differs from a content, and whether there is one.
func newestOther(versions []store.Listed, content *configmap.Content) (compare.ConfigSide, bool) {
	for i := len(versions) - 1; i >= 0; i-- {
		if !versions[i].Content.Equal(content) {
			return compare.ConfigSide{Name: versions[i].Object.Name, Content: versions[i].Content}, true
		}
	}
	return compare.ConfigSide{}, false
}
