package history

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// HasStaleCause reports whether a Deployment still has the change-cause of its newest revision, although its pod template has
// yet to become the next one. It returns false if the ReplicaSets cannot be listed, as without the right to do so.
func HasStaleCause(ctx context.Context, client kubernetes.Interface, d *appsv1.Deployment) bool {
	sets, err := kube.ReplicaSets(ctx, client, d)
	if err != nil {
		return false
	}
	var newest *appsv1.ReplicaSet
	for _, rs := range sets {
		if newest == nil || workload.RevisionOf(rs) > workload.RevisionOf(newest) {
			newest = rs
		}
	}
	return newest != nil && !workload.SameTemplate(&newest.Spec.Template, &d.Spec.Template) &&
		newest.Annotations[workload.ChangeCauseAnnotation] == d.Annotations[workload.ChangeCauseAnnotation]
}
