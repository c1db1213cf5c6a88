package rollout

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// What is told of a pod that was late is the time that it was really given, by the Deployment's own deadline, which is
// borrowed meanwhile.
func TestWhatALatePodWasGivenIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() {
			b.d.Spec.ProgressDeadlineSeconds, b.stuck = ptr.To[int32](1200), map[types.UID]bool{}
			b.shape = func(pod *corev1.Pod) {
				since := metav1.NewTime(b.now.Truncate(time.Second))
				b.stuck[pod.UID], pod.CreationTimestamp = true, since
				pod.Spec.Containers = []corev1.Container{{Name: "app", ReadinessProbe: &corev1.Probe{}}}
				pod.Status.Phase = corev1.PodRunning
				pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: since}}
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
					Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: since}},
				}}
			}
		})
		result := b.start(t.Context(), t)
		if f := result.Finding; f == nil || !strings.Contains(f.Message, "it was given 20m0s (progressDeadlineSeconds, which is more than the usual 10m0s)") {
			t.Errorf("outcome %s: %v", result.Outcome, f)
		}
	})
}
