package diagnose

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// counts works out how far the ends of a container prove that it does not recover. Runs that began before the command prove
// nothing. The kubelet starts the container again after a pause that grows with every end.
func (d *diagnosis) counts(pod *corev1.Pod, status *corev1.ContainerStatus, s *signal) {
	last, needed := lastEnd(status), int32(loops)
	if neverRan(last) {
		needed = 1
	}
	if s.proven = d.runs(pod, status) >= needed; s.proven || d.isNew(pod) {
		s.last = last.FinishedAt.Time
	}
	ran := min(max(last.FinishedAt.Sub(last.StartedAt.Time), leastSettling), MostSettling)
	begins := last.FinishedAt.Add(pauseOf(status) + kubeletSync)
	if running := status.State.Running; running != nil {
		begins = running.StartedAt.Time
	}
	s.next = func(after time.Time) time.Time { return latest(begins, after).Add(ran) }
	if s.proven || d.isNew(pod) || last == status.State.Terminated && !startsAgain(pod, status.Name, last) {
		return
	}
	next := "the kubelet starts it again by"
	if status.State.Running != nil {
		next = "it runs again since"
	}
	old := ""
	if last.StartedAt.Time.Before(d.After) {
		old = ", by a run that began before this command"
	}
	s.evidence = append(s.evidence, fmt.Sprintf("it ended last at %s%s; %s %s", clock(last.FinishedAt.Time), old, next, clock(begins)))
}

// pauseOf returns how long the kubelet waits before it starts a container again. The kubelet says so as "back-off 40s
// restarting ...".
func pauseOf(status *corev1.ContainerStatus) time.Duration {
	if waiting := status.State.Waiting; waiting != nil {
		if pause, err := time.ParseDuration(named(waiting.Message, "back-off ", " ")); err == nil {
			return pause
		}
		return kubeletBackOff
	}
	return 0
}

// runs returns how many runs of a container have ended since the command began. It leaves out the run that was under way then.
func (d *diagnosis) runs(pod *corev1.Pod, status *corev1.ContainerStatus) int32 {
	ended := status.RestartCount
	if status.State.Running == nil && lastEnd(status) != nil {
		ended++
	}
	if d.isNew(pod) {
		return ended
	}
	key := Key{UID: pod.UID, Container: status.Name}
	before, known := d.Runs[key]
	if !known {
		before = status.RestartCount + 1
	}
	if d.report.Runs == nil {
		d.report.Runs = map[Key]int32{}
	}
	d.report.Runs[key] = before
	return max(ended-before, 0)
}
