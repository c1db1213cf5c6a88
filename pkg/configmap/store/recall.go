package store

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// recall reads what an object held when pods started, if nothing else records that. The API server keeps earlier revisions
// for at least 5 minutes. What it cannot or may not return stays unknown.
func (r *Reader) recall(ctx context.Context, change *impact.Change, workloads []impact.Workload) error {
	revisions := change.Recalls(workloads)
	if len(revisions) == 0 {
		return nil
	}
	object := change.Object
	_, newest, err := r.asOf(ctx, object, 0)
	if err != nil || newest == 0 {
		return context.Cause(ctx)
	}
	oldest, err := r.oldest(ctx, object, revisions[0], newest)
	if err != nil {
		return context.Cause(ctx)
	}
	revisions = append(revisions, oldest)
	slices.Sort(revisions)
	for _, revision := range slices.Compact(revisions) {
		if revision < oldest {
			continue
		}
		found, _, err := r.asOf(ctx, object, revision)
		if err != nil {
			return context.Cause(ctx)
		}
		if found != nil {
			change.Past = append(change.Past, impact.Past{Revision: revision, Content: found.Content, Age: impact.AgeOf(&found.Meta)})
		}
	}
	return nil
}

// oldest returns the first revision, beginning with from, that the API server still has.
func (r *Reader) oldest(ctx context.Context, object configmap.Object, from, newest impact.Revision) (impact.Revision, error) {
	gone, there := from-1, newest
	for at := from; gone+1 < there; at = gone + (there-gone)/2 {
		switch _, _, err := r.asOf(ctx, object, at); {
		case err == nil:
			there = at
		case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
			gone = at
		default:
			return 0, err
		}
	}
	return there, nil
}

// asOf returns an object as it was at a revision, or nil if it did not exist then. Revision 0 means the present. It also
// returns the revision that the API server read.
func (r *Reader) asOf(ctx context.Context, object configmap.Object, revision impact.Revision) (*State, impact.Revision, error) {
	options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, object.Name).String()}
	if revision > 0 {
		options.ResourceVersion, options.ResourceVersionMatch = revision.String(), metav1.ResourceVersionMatchExact
	}
	var found runtime.Object
	var at string
	if object.Kind == configmap.Secret {
		list, err := r.Client.CoreV1().Secrets(r.Namespace).List(ctx, options)
		if err != nil {
			return nil, 0, err
		}
		if at = list.ResourceVersion; len(list.Items) == 1 {
			found = &list.Items[0]
		}
	} else {
		list, err := r.Client.CoreV1().ConfigMaps(r.Namespace).List(ctx, options)
		if err != nil {
			return nil, 0, err
		}
		if at = list.ResourceVersion; len(list.Items) == 1 {
			found = &list.Items[0]
		}
	}
	return StateOf(found), impact.ParseRevision(at), nil
}
