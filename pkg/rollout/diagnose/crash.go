package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// recent is how long the end of a container counts against it while it runs again.
	recent = 10 * time.Minute
	// loops is how many ends make a loop, even if the container becomes ready between them.
	loops = 2
	// leastSettling is the shortest time that a container which has ended before must run to be trusted again.
	leastSettling = 10 * time.Second
	// MostSettling is the longest such time.
	MostSettling = time.Minute
)

// Settled returns when a container that runs again will have run long enough to be trusted. That is twice as long as before it
// ended, within the bounds above. It returns zero for a container that has not ended before, or does not run.
func Settled(status *corev1.ContainerStatus) time.Time {
	last := status.LastTerminationState.Terminated
	if status.RestartCount == 0 || last == nil || status.State.Running == nil {
		return time.Time{}
	}
	ran := 2 * last.FinishedAt.Sub(last.StartedAt.Time)
	return status.State.Running.StartedAt.Add(min(max(ran, leastSettling), MostSettling))
}

// SettledAt returns when all containers of a pod that have ended before will have run long enough to be trusted. It returns
// zero if none has ended by its own doing.
func SettledAt(pod *corev1.Pod) time.Time {
	var last time.Time
	for _, status := range ContainerStatuses(pod) { // sidecars are init containers
		if !endedByNode(pod, lastEnd(&status)) {
			last = latest(last, Settled(&status))
		}
	}
	return last
}

// neverRan reports whether a container has "ended" without having been started.
func neverRan(last *corev1.ContainerStateTerminated) bool {
	return last.Reason == "StartError" || last.Reason == "ContainerCannotRun"
}

// ranLong reports whether the run before an end was long. An end after a long run is no loop yet, however often the container
// has ended before.
func ranLong(last *corev1.ContainerStateTerminated) bool {
	return !neverRan(last) && last.FinishedAt.Sub(last.StartedAt.Time) >= recent
}

// lastEnd returns how a container last ended, or nil if it has not ended.
func lastEnd(status *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if status.State.Terminated != nil {
		return status.State.Terminated
	}
	return status.LastTerminationState.Terminated
}

// crashed explains why a container ended.
func (d *diagnosis) crashed(pod *corev1.Pod, status *corev1.ContainerStatus, isInit bool) *signal {
	s := &signal{id: CrashLoopBackOff}
	if isInit {
		s.id = InitContainerFailed
	}
	last := lastEnd(status)
	if last == nil {
		s.message = "the container ends again and again; how, is not known"
		return s
	}
	if last.Reason != "Error" && last.Reason != "Completed" { // the exit code tells more
		s.reason = last.Reason
	}
	s.message = "the container " + ending(last, status.RestartCount)
	if last.Message != "" {
		s.evidence = append(s.evidence, last.Message)
	}
	d.killed(pod, status, last, s)
	switch {
	case last.Reason == "OOMKilled":
		s.id, s.message = OOMKilled, fmt.Sprintf("the container was killed because it took more memory than its limit%s", limit(pod, status.Name))
	case neverRan(last):
		s.id, s.message, s.evidence = RunContainerError, last.Message, nil
		s.notRun()
	case s.id == InitContainerFailed:
		d.awaits(status.Name, s)
	case !isInit && d.cameGood(status.Name, last):
		s.grace, s.why = d.patience(), "pods became ready after this container had ended in the same way"
	}
	s.ended = s.message
	d.counts(pod, status, s)
	return s
}

// awaits gives time to an init container that ends with an error, since it may be waiting for something. It gets the progress
// deadline if it did the same in pods that are ready now. It gets a quarter of that if no pod is ready yet, since what is
// installed together comes up together.
func (d *diagnosis) awaits(container string, s *signal) {
	deadline := d.patience()
	switch ready, again := d.readyAfter(container); {
	case again:
		s.grace, s.why = deadline, "pods became ready after this init container had ended with an error"
	case !ready:
		s.grace, s.why = deadline/4, "a quarter of the progress deadline, since no pod has been ready yet: it may wait for something that is still to come"
	}
}

// patience returns the progress deadline, or the usual one if there is none.
func (d *diagnosis) patience() time.Duration {
	if d.Deadline == 0 {
		return usualDeadline
	}
	return d.Deadline
}

// alike returns a key for the way in which a container ended. Under this key the report records that pods became ready
// afterwards.
func alike(container string, last *corev1.ContainerStateTerminated) Key {
	return Key{Container: container, ID: fmt.Sprintf("%s %d", last.Reason, last.ExitCode)}
}

// cameGood reports whether pods became ready after a container had ended in the same way. An application may wait for something
// by ending.
func (d *diagnosis) cameGood(container string, last *corev1.ContainerStateTerminated) bool {
	_, seen := d.report.Seen[alike(container, last)]
	return seen
}

// remember records how containers ended while their pods were starting, for pods that are ready now. It takes all such pods of
// the old version, and those of the new one that have been ready long enough. These pods may be gone by the time that their
// record helps to judge another.
func (d *diagnosis) remember() {
	for i, pod := range slices.Concat(d.Others, d.Pods) {
		if !isWell(pod) {
			continue
		}
		ready := condition(pod, corev1.PodReady).LastTransitionTime
		if i >= len(d.Others) && d.Now.Before(ready.Add(MostSettling)) {
			continue
		}
		for _, status := range ContainerStatuses(pod) {
			before := status.LastTerminationState.Terminated
			if before != nil && !ready.Before(&before.FinishedAt) && before.FinishedAt.Sub(pod.CreationTimestamp.Time) < d.patience() {
				d.report.Seen[alike(status.Name, before)] = ready.Time
			}
		}
	}
}

// readyAfter reports whether any pod is ready, and whether a given init container ended with an error before in a ready pod.
func (d *diagnosis) readyAfter(container string) (ready, again bool) {
	for _, pod := range slices.Concat(d.Others, d.Pods) {
		if !isWell(pod) {
			continue
		}
		ready = true
		for i := range pod.Status.InitContainerStatuses {
			if status := &pod.Status.InitContainerStatuses[i]; status.Name == container && status.RestartCount > 0 {
				again = true
			}
		}
	}
	return ready, again
}

// killed adds what the kubelet's events say about an end that the kubelet caused. No exit code shows that.
func (d *diagnosis) killed(pod *corev1.Pod, status *corev1.ContainerStatus, last *corev1.ContainerStateTerminated, s *signal) {
	during := func(e *corev1.Event) bool {
		return containerOf(e) == status.Name && !e.LastTimestamp.Before(&last.StartedAt)
	}
	hook := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "FailedPostStartHook" && during(e) })
	kill := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "Killing" && containerOf(e) == status.Name })
	probe := ""
	switch {
	case hook != nil:
		s.id, s.message = PostStartHookError, "the postStart hook failed, so that the container was killed"
	case kill == nil:
		return
	case !during(kill):
		// That was an earlier end. The kubelet may have emitted no event for later ones.
		s.evidence = append(s.evidence, "before that: "+kill.Message)
	case strings.Contains(kill.Message, "failed liveness probe"):
		s.id, s.message, probe = LivenessProbeFailed, "the container was killed because its liveness probe failed", "Liveness"
	case strings.Contains(kill.Message, "failed startup probe"):
		s.id, s.message, probe = StartupProbeFailed, "the container was killed because its startup probe failed", "Startup"
	}
	if probe == "" {
		return
	}
	if event := d.unhealthy(pod, status.Name, probe); event != nil {
		s.evidence = append(s.evidence, event.Message)
	}
}

// unhealthy returns the newest event of a failed probe.
func (d *diagnosis) unhealthy(pod *corev1.Pod, container, probe string) *corev1.Event {
	return d.event(pod, func(e *corev1.Event) bool {
		return e.Reason == "Unhealthy" && containerOf(e) == container && strings.HasPrefix(e.Message, probe+" probe failed")
	})
}

// ending describes an end in words.
func ending(last *corev1.ContainerStateTerminated, restarts int32) string {
	text := "ended"
	switch last.ExitCode {
	case 0:
		text = "ended without an error, where it should go on running"
	case 137:
		text = "was killed by signal 9, and Kubernetes does not tell by whom"
	case 143:
		text = "ended on signal 15"
	}
	if ran := last.FinishedAt.Sub(last.StartedAt.Time); !last.StartedAt.IsZero() && ran >= 0 {
		text += fmt.Sprintf(" after %s", ran.Truncate(time.Second))
	}
	if restarts > 0 {
		text += fmt.Sprintf(", restarts: %d", restarts)
	}
	return text
}

func limit(pod *corev1.Pod, container string) string {
	if c := specOf(pod, container); c != nil {
		if memory := c.Resources.Limits.Memory(); memory != nil && !memory.IsZero() {
			return " of " + memory.String()
		}
	}
	return ""
}

func specOf(pod *corev1.Pod, container string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == container {
			return &pod.Spec.Containers[i]
		}
	}
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == container {
			return &pod.Spec.InitContainers[i]
		}
	}
	return nil
}

// matters reports whether the last end of a container that runs again is worth a warning. It is not if the container has run
// well since before the command.
func (d *diagnosis) matters(pod *corev1.Pod, status *corev1.ContainerStatus, last *corev1.ContainerStateTerminated, isBelieved bool) bool {
	if isExcused(pod, status.Name, last) || status.RestartCount == 0 || d.Now.Sub(last.FinishedAt.Time) >= recent {
		return false
	}
	return !isBelieved || d.After.IsZero() || d.runs(pod, status) > 0
}

// running explains what is wrong with a running container: it has ended before, or it is not ready.
func (d *diagnosis) running(pod *corev1.Pod, status *corev1.ContainerStatus, isInit bool) *signal {
	last := status.LastTerminationState.Terminated
	isBelieved := status.Ready && !d.Now.Before(Settled(status))
	again := last != nil && d.matters(pod, status, last, isBelieved)
	if again && d.runs(pod, status) >= loops && !ranLong(last) && !isBelieved {
		s := d.crashed(pod, status, isInit)
		s.message += "; it runs again for now"
		return s
	}
	switch {
	case isInit:
		return d.initialising(status)
	case !status.Ready:
		s := d.readiness(pod, status)
		if again {
			crash := d.crashed(pod, status, isInit)
			s.ended, s.evidence = crash.ended, slices.Concat(s.evidence, []string{crash.message}, crash.evidence)
		}
		return s
	case again:
		s := d.crashed(pod, status, isInit)
		s.once()
		return s
	}
	return nil
}
