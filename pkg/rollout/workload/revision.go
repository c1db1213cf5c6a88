package workload

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RevisionAnnotation is where the Deployment controller keeps a revision's number.
const RevisionAnnotation = "deployment.kubernetes.io/revision"

// FindByTemplate returns the new ReplicaSet by the controller's own rule (FindNewReplicaSet in its deploymentutil).
// This is the oldest one with the same template, apart from the hash label.
func FindByTemplate(replicaSets []*appsv1.ReplicaSet, template *corev1.PodTemplateSpec) *appsv1.ReplicaSet {
	var found *appsv1.ReplicaSet
	for _, rs := range replicaSets {
		older := found == nil || rs.CreationTimestamp.Before(&found.CreationTimestamp) ||
			rs.CreationTimestamp.Equal(&found.CreationTimestamp) && rs.Name < found.Name
		if older && SameTemplate(&rs.Spec.Template, template) {
			found = rs
		}
	}
	return found
}

// SameTemplate reports whether pod templates are the same, apart from the label that the controller adds to
// ReplicaSets'.
func SameTemplate(a, b *corev1.PodTemplateSpec) bool {
	return apiequality.Semantic.DeepEqual(WithoutHash(a), WithoutHash(b))
}

// WithoutHash returns a template without the label that the controller adds to ReplicaSets'. The argument is not changed.
func WithoutHash(template *corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
	if _, found := template.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; !found {
		return template
	}
	stripped := template.DeepCopy()
	delete(stripped.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	if len(stripped.Labels) == 0 {
		stripped.Labels = nil
	}
	return stripped
}

// RevisionOf returns the revision that the Deployment controller gave to a Deployment or ReplicaSet, or 0 if it has
// not.
func RevisionOf(object metav1.Object) int64 {
	revision, err := strconv.ParseInt(object.GetAnnotations()[RevisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return revision
}

// NextRevision returns the revision that the controller gives next to this template: one above all others.
func NextRevision(replicaSets []*appsv1.ReplicaSet, template *corev1.PodTemplateSpec) int64 {
	existing := FindByTemplate(replicaSets, template)
	var highest int64
	for _, rs := range replicaSets {
		if rs != existing {
			highest = max(highest, RevisionOf(rs))
		}
	}
	return highest + 1
}

// SizeOf returns how many pods the controller wants of a ReplicaSet.
func SizeOf(rs *appsv1.ReplicaSet) int32 {
	if rs.Spec.Replicas == nil {
		return 1
	}
	return *rs.Spec.Replicas
}

// ChangeCauseAnnotation is the annotation in which kubectl keeps why a revision was made.
const ChangeCauseAnnotation = "kubernetes.io/change-cause"

// FailedLabel marks the ReplicaSet or ControllerRevision of a revision whose rollout failed and went back. Its value is the
// number of that revision. A revision that is rolled out again gets another number, and the mark does not count for that. It is
// a label because kubectl's undo copies the annotations of a ReplicaSet to the Deployment.
const FailedLabel = "rollout-plus/failed"

// HasFailed reports whether a ReplicaSet or ControllerRevision is known to have failed as the revision with this number.
func HasFailed(revision metav1.Object, number int64) bool {
	return revision.GetLabels()[FailedLabel] == strconv.FormatInt(number, 10)
}

// RevisionLabel returns the value that labels the pods of a ControllerRevision: its name for a StatefulSet, its hash
// for a DaemonSet.
func (w *Workload) RevisionLabel(of *appsv1.ControllerRevision) string {
	if w.IsPerNode {
		return of.Labels[appsv1.ControllerRevisionHashLabelKey]
	}
	return of.Name
}
