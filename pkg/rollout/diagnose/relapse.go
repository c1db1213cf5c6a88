package diagnose

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// startsWithin is how long after its creation a pod counts as starting. What its containers do before that is no relapse.
const startsWithin = 10 * time.Minute

// Relapse describes restarts or losses of readiness of a pod after it had come up. It covers the last one, if any.
type Relapse struct {
	// Count is 1 if there was one, otherwise 0.
	Count int
	// Since is when the last one was. Without one, it is since when the pod is well.
	Since time.Time
}

// Relapses returns the last restart of a ready pod by its own doing, and its last loss of readiness. Both count only after the
// pod had come up.
func Relapses(pod *corev1.Pod) (restarted, lost Relapse) {
	up := pod.CreationTimestamp.Add(startsWithin)
	if ready := condition(pod, corev1.PodReady); ready != nil {
		lost.Since = ready.LastTransitionTime.Time
	}
	restarted.Since = lost.Since
	if lost.Since.After(up) {
		// It came up before that. How often it was unready since then is not known.
		lost.Count, restarted.Since = 1, up
	}
	for _, status := range ContainerStatuses(pod) {
		last := lastEnd(&status)
		if last == nil || !mustRun(pod, status.Name) || isExcused(pod, status.Name, last) || !last.FinishedAt.After(up) {
			continue
		}
		restarted.Count = 1
		restarted.Since = latest(restarted.Since, last.FinishedAt.Time)
	}
	return restarted, lost
}

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
