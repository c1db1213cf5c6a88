package diff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/compare"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// configUse holds the versions of one head that two revisions used. A name is "" if the version is not recorded.
type configUse struct{ from, to []string }

// recorded reports whether the head's content is known for both revisions.
func (u *configUse) recorded() bool {
	return !slices.Contains(u.from, "") && !slices.Contains(u.to, "")
}

// usesOf returns the versions of each head that two sides use.
func usesOf(ctx context.Context, r *store.Reader, from, to compare.Side) (map[configmap.Object]*configUse, error) {
	kept, uses := store.NewKept(r), map[configmap.Object]*configUse{}
	for _, of := range []compare.Side{from, to} {
		template, err := podtemplate.Typed(of.Template)
		if err != nil {
			return nil, err
		}
		for _, use := range configmap.Uses(template) {
			if use.Version, err = kept.Version(ctx, use, of.Revision); err != nil {
				return nil, err
			}
			if uses[use.Head] == nil {
				uses[use.Head] = &configUse{}
			}
			if of.Number == from.Number {
				uses[use.Head].from = append(uses[use.Head].from, use.Version)
			} else {
				uses[use.Head].to = append(uses[use.Head].to, use.Version)
			}
		}
	}
	return uses, nil
}

// compareConfig returns the differences in the configuration that two revisions ran with. It prints a line for each head
// that it cannot compare.
func compareConfig(ctx context.Context, env *cli.Env, r *store.Reader, from, to compare.Side) ([]compare.Comparison, error) {
	if from.Number == to.Number {
		return nil, nil
	}
	uses, err := usesOf(ctx, r, from, to)
	if err != nil {
		return nil, err
	}
	var all []compare.Comparison
	for _, head := range slices.SortedFunc(maps.Keys(uses), configmap.Object.Compare) {
		use := uses[head]
		if !use.recorded() {
			_, _ = fmt.Fprintf(env.ErrOut, "what %s held in %s is not recorded\n", head, use.unknown(from, to))
			continue
		}
		some, err := compareVersions(ctx, r, head, use, from, to)
		switch {
		case err == nil:
			all = append(all, some...)
		case context.Cause(ctx) == nil && (apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || errors.Is(err, store.ErrNoVersion)):
			_, _ = fmt.Fprintf(env.ErrOut, "what differs in %s is not shown: %v\n", head, err)
		default:
			return nil, err
		}
	}
	return all, nil
}

// unknown names the sides whose version is not recorded.
func (u *configUse) unknown(from, to compare.Side) string {
	switch {
	case !slices.Contains(u.to, ""):
		return from.String()
	case !slices.Contains(u.from, ""):
		return to.String()
	}
	return from.String() + " and in " + to.String()
}

// compareVersions compares those versions of a head that only one of the two sides uses. Mostly, each side has one.
func compareVersions(ctx context.Context, r *store.Reader, head configmap.Object, use *configUse, from, to compare.Side) ([]compare.Comparison, error) {
	common := func(name string) bool { return slices.Contains(use.from, name) && slices.Contains(use.to, name) }
	before, after := slices.DeleteFunc(slices.Clone(use.from), common), slices.DeleteFunc(slices.Clone(use.to), common)
	var all []compare.Comparison
	for i := range max(len(before), len(after)) {
		left, err := readSide(ctx, r, head, before, i, from)
		if err != nil {
			return nil, err
		}
		right, err := readSide(ctx, r, head, after, i, to)
		if err != nil {
			return nil, err
		}
		c := compare.Contents(head.Kind, left, right)
		if !bytes.Equal(c.From.Body, c.To.Body) {
			all = append(all, c)
		}
	}
	return all, nil
}

// readSide reads the version at an index of those that a revision uses. It returns an empty content if there is no such
// version.
func readSide(ctx context.Context, r *store.Reader, head configmap.Object, versions []string, number int, of compare.Side) (compare.ConfigSide, error) {
	if number >= len(versions) || versions[number] == configmap.Absent {
		return compare.ConfigSide{Name: fmt.Sprintf("%s not in %s", head, of), Content: &configmap.Content{}}, nil
	}
	object := configmap.Object{Kind: head.Kind, Name: versions[number]}
	content, err := r.Version(ctx, object)
	return compare.ConfigSide{Name: fmt.Sprintf("%s in %s", object, of), Content: content}, err
}
