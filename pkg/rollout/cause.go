package rollout

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
)

// HasStaleCause tells whether a Deployment's change-cause is that of its newest revision, while its pod template has yet to
// become the next one. Without the right to list ReplicaSets it cannot be told.
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
