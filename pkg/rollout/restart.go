package rollout

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// RestartedAtAnnotation is the annotation of the pod template by which kubectl rollout restart makes a new revision.
const RestartedAtAnnotation = "kubectl.kubernetes.io/restartedAt"

// RestartedAt is the value that restarts this template: the time in full seconds, as kubectl writes it, unless that is
// what the template has already.
func RestartedAt(template *corev1.PodTemplateSpec, now time.Time) string {
	if at := now.Format(time.RFC3339); template.Annotations[RestartedAtAnnotation] != at {
		return at
	}
	return now.Format(time.RFC3339Nano)
}

func (t rawTemplate) setRestarted(at string) {
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

// onlyRestarted tells whether two templates differ in nothing but when they were restarted.
func onlyRestarted(a, b *corev1.PodTemplateSpec) bool {
	plain := func(template *corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
		stripped := template.DeepCopy()
		delete(stripped.Annotations, RestartedAtAnnotation)
		if len(stripped.Annotations) == 0 {
			stripped.Annotations = nil
		}
		return stripped
	}
	return SameTemplate(plain(a), plain(b))
}
