package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

func newConfigDiffCommand(env *environment) *cobra.Command {
	kind := &kindFlag{}
	cmd := &cobra.Command{
		Use:         "diff [TYPE/]NAME [VERSION] [VERSION]",
		Annotations: reading(),
		Short:       "Compare versions of a ConfigMap or Secret",
		Long: "Compare two versions of a ConfigMap or Secret, or one version with the present\n" +
			"content. Without a version, compare the present content with the newest version\n" +
			"that differs. Values of Secrets are not shown.\n\n" +
			"Exit codes: 0 nothing differs, 1 something differs, 2 or more an error.\n" +
			"KUBECTL_EXTERNAL_DIFF names a program to compare with, as for diff.",
		Example: "  # What has changed since the newest other version\n  kubectl rollout-plus config diff web\n\n" +
			"  # Between two versions\n  kubectl rollout-plus config diff web m8mt92gg65 hhh9dd84bk",
		Args: arguments(cobra.RangeArgs(1, 3)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inTrouble(diffConfig(cmd.Context(), env, kind, args))
		},
	}
	kind.add(cmd)
	return cmd
}

func diffConfig(ctx context.Context, env *environment, kind *kindFlag, args []string) error {
	if err := env.checkColor(); err != nil {
		return err
	}
	object, err := kind.object(args[0])
	if err != nil {
		return usageError(err)
	}
	s, err := currentSession(env)
	if err != nil {
		return err
	}
	versions, err := s.List(ctx, object)
	if err != nil {
		return err
	}
	sides := make([]configSide, 0, 2)
	for _, name := range args[1:] {
		side, err := versionNamed(object, versions, name)
		if err != nil {
			return usageError(err)
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
		sides = append(sides, configSide{object.String() + " (now)", now.Content})
	}
	return show(env, []comparison{compareContents(object.Kind, sides[0], sides[1])})
}

// configSide is one side of a comparison.
type configSide struct {
	name    string
	content *configmap.Content
}

// versionNamed returns the version with this name or this hash.
func versionNamed(head configmap.Object, versions []store.Listed, name string) (configSide, error) {
	names := make([]string, len(versions))
	for i := range versions {
		v := &versions[i]
		if full := v.Object.Name; full == name || full == head.Name+"-"+name {
			return configSide{full, v.Content}, nil
		}
		names[i] = v.Object.Name
	}
	if len(names) == 0 {
		return configSide{}, fmt.Errorf("%s has no versions", head)
	}
	return configSide{}, fmt.Errorf("%s has no version %q; it has %s", head, name, strings.Join(names, ", "))
}

// newestOther returns the newest version that differs from a content, and whether there is one.
func newestOther(versions []store.Listed, content *configmap.Content) (configSide, bool) {
	for i := len(versions) - 1; i >= 0; i-- {
		if !versions[i].Content.Equal(content) {
			return configSide{versions[i].Object.Name, versions[i].Content}, true
		}
	}
	return configSide{}, false
}
