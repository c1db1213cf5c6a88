package diagnose

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// unseenFor is how long the end of a container may stay unseen. The kubelet looks for it once a second, and time stamps have
	// full seconds.
	unseenFor = 2 * time.Second
	// startedLately is how long after its start a container is suspected to end at once.
	startedLately = 10 * time.Second
)

// SeenAt returns when a ready pod is certain to have had all its containers running when it became ready. Until the kubelet sees that
// a container has ended, one without a readiness probe keeps its pod ready. It is zero where no container started lately, or where
// none of them has a probe: then to be ready means no more than to run.
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
