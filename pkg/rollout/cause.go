package rollout

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
)

// HasStaleCause reports whether a Deployment still has the change-cause of its newest revision, although its pod template has
// yet to become the next one. It returns false if the ReplicaSets cannot be listed, as without the right to do so.
func (e *Engine) HasStaleCause(ctx context.Context, d *appsv1.Deployment) bool {
	sets, err := e.replicaSets(ctx, d)
	if err != nil {
		return false
	}
	var newest *appsv1.ReplicaSet
	for _, rs := range sets {
		if newest == nil || RevisionOf(rs) > RevisionOf(newest) {
			newest = rs
		}
	}
	return newest != nil && !SameTemplate(&newest.Spec.Template, &d.Spec.Template) &&
		newest.Annotations[ChangeCauseAnnotation] == d.Annotations[ChangeCauseAnnotation]
}
