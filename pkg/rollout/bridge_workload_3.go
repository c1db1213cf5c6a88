package rollout

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// FailedLabel stands for moved.FailedLabel.
const FailedLabel = moved.FailedLabel

// HasFailed stands for moved.HasFailed.
func HasFailed(revision metav1.Object, number int64) bool { return moved.HasFailed(revision, number) }

// revisionLabel stands for moved.RevisionLabel.
func revisionLabel(kind string, of *appsv1.ControllerRevision) string {
	return moved.RevisionLabel(kind, of)
}
