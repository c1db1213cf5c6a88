package diagnose

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// unseenFor is how long the end of a container may stay unseen. The kubelet checks once a second, and timestamps are in
	// full seconds.
	unseenFor = 2 * time.Second
	// startedLately is how long after its start a container may be about to end at once.
	startedLately = 10 * time.Second
)

// SeenAt returns when it is certain that a ready pod had all containers running when it became ready. A container without a
// readiness probe keeps its pod ready until the kubelet sees that it has ended. SeenAt returns zero if no such container
// started lately, or if no container has a probe. In the latter case ready means no more than running.
func SeenAt(pod *corev1.Pod) time.Time {
	ready := condition(pod, corev1.PodReady)
	if ready == nil || ready.Status != corev1.ConditionTrue {
		return time.Time{}
	}
	hasProbe, unprobed := false, map[string]bool{}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if c.ReadinessProbe != nil {
			hasProbe = true
		} else {
			unprobed[c.Name] = true
		}
	}
	if !hasProbe {
		return time.Time{}
	}
	for _, status := range ContainerStatuses(pod) {
		running := status.State.Running
		if unprobed[status.Name] && running != nil && ready.LastTransitionTime.Sub(running.StartedAt.Time) < startedLately {
			return ready.LastTransitionTime.Add(unseenFor)
		}
	}
	return time.Time{}
}
