package podtemplate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// RestartedAtAnnotation is the annotation of the pod template that kubectl rollout restart sets to make a new revision.
const RestartedAtAnnotation = "kubectl.kubernetes.io/restartedAt"

// RestartedAt returns the annotation's value that restarts this template: the time in full seconds, as kubectl writes
// it. If the template already has that value, it returns the time with fractions of a second.
func RestartedAt(template *corev1.PodTemplateSpec, now time.Time) string {
	if at := now.Format(time.RFC3339); template.Annotations[RestartedAtAnnotation] != at {
		return at
	}
	return now.Format(time.RFC3339Nano)
}

// SetRestarted sets the annotation that restarts the pods.
func (t Template) SetRestarted(at string) {
	metadata, _ := t["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		t["metadata"] = metadata
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[RestartedAtAnnotation] = at
}

// OnlyRestarted reports whether two templates differ at most in when they were restarted.
func OnlyRestarted(a, b *corev1.PodTemplateSpec) bool {
	plain := func(template *corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
		stripped := template.DeepCopy()
		delete(stripped.Annotations, RestartedAtAnnotation)
		if len(stripped.Annotations) == 0 {
			stripped.Annotations = nil
		}
		return stripped
	}
	return workload.SameTemplate(plain(a), plain(b))
}
