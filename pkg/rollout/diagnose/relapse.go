package diagnose

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// startsWithin is how long after a pod was made it is still taken to be starting: what its containers do by then is no relapse.
const startsWithin = 10 * time.Minute

// Relapse is what a pod shows of restarts, or losses of readiness, after it had come up: the last one, if any.
type Relapse struct {
	// Count is 1 where there was one.
	Count int
	// Since is when that was, or since when the pod is well without one.
	Since time.Time
}

// Relapses returns when a pod that is ready last restarted by its own doing, and when it was last not ready, after it had come up.
func Relapses(pod *corev1.Pod) (restarted, lost Relapse) {
	up := pod.CreationTimestamp.Add(startsWithin)
	if ready := condition(pod, corev1.PodReady); ready != nil {
		lost.Since = ready.LastTransitionTime.Time
	}
	restarted.Since = lost.Since
	if lost.Since.After(up) {
		// It came up before that, and how often it was not ready since then is not known.
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
