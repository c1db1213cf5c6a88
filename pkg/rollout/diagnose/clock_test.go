package diagnose

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestANodeWhoseClockIsBehind has a pod that its node says to be older than it is: what counts is when it was created.
func TestANodeWhoseClockIsBehind(t *testing.T) {
	t.Parallel()
	in := inputOf(130)
	pod := podWith("web-1", corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(1)}}})
	pod.CreationTimestamp = at(120)
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(0)}}
	in.Pods = []*corev1.Pod{pod}
	if got := Diagnose(in); got.Fatal() != nil {
		t.Errorf("got %s", summary(got))
	}
}
