package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// configUse holds the versions of one head that two revisions used. A name is "" if the version is not recorded.
type configUse struct{ from, to []string }

// recorded reports whether the head's content is known for both revisions.
func (u *configUse) recorded() bool {
	return !slices.Contains(u.from, "") && !slices.Contains(u.to, "")
}

// usesOf returns the versions of each head that two sides use.
func usesOf(ctx context.Context, r *store.Reader, from, to side) (map[configmap.Object]*configUse, error) {
	kept, uses := store.NewKept(r), map[configmap.Object]*configUse{}
	for _, of := range []side{from, to} {
		template, err := podtemplate.Typed(of.template)
		if err != nil {
			return nil, err
		}
		for _, use := range configmap.Uses(template) {
			if use.Version, err = kept.Version(ctx, use, of.revision); err != nil {
				return nil, err
			}
			if uses[use.Head] == nil {
				uses[use.Head] = &configUse{}
			}
			if of.number == from.number {
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
func compareConfig(ctx context.Context, env *environment, r *store.Reader, from, to side) ([]comparison, error) {
	if from.number == to.number {
		return nil, nil
	}
	uses, err := usesOf(ctx, r, from, to)
	if err != nil {
		return nil, err
	}
	var all []comparison
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
func (u *configUse) unknown(from, to side) string {
	switch {
	case !slices.Contains(u.to, ""):
		return from.String()
	case !slices.Contains(u.from, ""):
		return to.String()
	}
	return from.String() + " and in " + to.String()
}

// compareVersions compares those versions of a head that only one of the two sides uses. Mostly, each side has one.
func compareVersions(ctx context.Context, r *store.Reader, head configmap.Object, use *configUse, from, to side) ([]comparison, error) {
	common := func(name string) bool { return slices.Contains(use.from, name) && slices.Contains(use.to, name) }
	before, after := slices.DeleteFunc(slices.Clone(use.from), common), slices.DeleteFunc(slices.Clone(use.to), common)
	var all []comparison
	for i := range max(len(before), len(after)) {
		left, err := readSide(ctx, r, head, before, i, from)
		if err != nil {
			return nil, err
		}
		right, err := readSide(ctx, r, head, after, i, to)
		if err != nil {
			return nil, err
		}
		c := compareContents(head.Kind, left, right)
		if !bytes.Equal(c.from.Body, c.to.Body) {
			all = append(all, c)
		}
	}
	return all, nil
}

// compareContents compares two contents in the text form for people. It treats nil as empty.
func compareContents(kind configmap.Kind, from, to configSide) comparison {
	from.content, to.content = cmp.Or(from.content, &configmap.Content{}), cmp.Or(to.content, &configmap.Content{})
	return comparison{
		from:      printers.Text{Name: from.name, Body: from.content.Shown(kind, to.content, "before")},
		to:        printers.Text{Name: to.name, Body: to.content.Shown(kind, from.content, "after")},
		extension: ".txt",
	}
}

// readSide reads the version at an index of those that a revision uses. It returns an empty content if there is no such
// version.
func readSide(ctx context.Context, r *store.Reader, head configmap.Object, versions []string, number int, of side) (configSide, error) {
	if number >= len(versions) || versions[number] == configmap.Absent {
		return configSide{fmt.Sprintf("%s not in %s", head, of), &configmap.Content{}}, nil
	}
	object := configmap.Object{Kind: head.Kind, Name: versions[number]}
	content, err := r.Version(ctx, object)
	return configSide{fmt.Sprintf("%s in %s", object, of), content}, err
}
