package diagnose

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// leastGrace is the least time that a container gets to become ready.
	leastGrace = time.Minute
	// usualDeadline is the API server's default for progressDeadlineSeconds. A longer one is somebody's choice.
	usualDeadline = 10 * time.Minute
	// leastUsual and mostUsual bound how long a pod may be starting before that is reported.
	leastUsual = 3 * time.Second
	mostUsual  = 10 * time.Second
)

// initialising describes a running init container. Only the progress deadline bounds it.
func (d *diagnosis) initialising(status *corev1.ContainerStatus) *signal {
	since := status.State.Running.StartedAt.Time
	return &signal{
		id: InitContainerRunning, message: "the init container has not ended yet", since: since, late: leastGrace,
		grace: d.Deadline, why: "init containers are given the progress deadline", endless: d.Deadline == 0,
		evidence: []string{"it runs since " + clock(since)},
	}
}

// readiness describes a container that runs but is not ready.
func (d *diagnosis) readiness(pod *corev1.Pod, status *corev1.ContainerStatus) *signal {
	s := &signal{id: ReadinessProbeFailed, message: "the container runs and is not ready", since: status.State.Running.StartedAt.Time}
	ready := condition(pod, corev1.PodReady)
	wasReady := ready != nil && ready.LastTransitionTime.After(s.since)
	if wasReady {
		s.since = ready.LastTransitionTime.Time
	}
	probe := "Readiness"
	c := specOf(pod, status.Name)
	if hasStartupProbe(c) && (status.Started == nil || !*status.Started) {
		// If the probe fails for long enough, the kubelet ends the container, which is reported then.
		s.id, s.message, probe = NotReady, "the startup probe has not succeeded yet", "Startup"
	} else if c != nil && c.ReadinessProbe == nil {
		s.id = NotReady
	}
	if event := d.unhealthy(pod, status.Name, probe); event != nil {
		s.reason, s.message = event.Reason, event.Message
	}
	s.grace, s.why = grace(c)
	took, known := d.slowestOnce()
	if proven := 2 * took; proven > s.grace {
		s.grace, s.why = proven, fmt.Sprintf("twice the %s that a pod took before", took)
	}
	switch {
	case wasReady:
		s.endless = d.LossIsChance
	case s.id == ReadinessProbeFailed:
		d.bePatient(s, known || hasStartupProbe(c))
	}
	return s
}

func hasStartupProbe(c *corev1.Container) bool { return c != nil && c.StartupProbe != nil }

// bePatient lengthens the grace if no pod shows how long becoming ready takes. It also does so if the progress deadline is
// longer than usual. Then a late pod is still reported after the original grace.
func (d *diagnosis) bePatient(s *signal, known bool) {
	deadline := d.patience()
	if quarter := deadline / 4; !known && quarter > s.grace {
		s.grace, s.why = quarter, "a quarter of the progress deadline, since no pod has told yet how long it takes"
	}
	if deadline > usualDeadline && deadline > s.grace {
		s.late, s.grace, s.why = s.grace, deadline, fmt.Sprintf("progressDeadlineSeconds, which is more than the usual %s", usualDeadline)
	}
}

// grace returns how long a container may take to become ready according to its own probes.
func grace(c *corev1.Container) (length time.Duration, why string) {
	if c == nil || c.ReadinessProbe == nil && c.StartupProbe == nil {
		return leastGrace, fmt.Sprintf("every container is given %s", leastGrace)
	}
	if p := c.StartupProbe; p != nil {
		length = allowance(p)
		why = fmt.Sprintf("startup probe: %s", length)
	}
	if p := c.ReadinessProbe; p != nil {
		readiness := allowance(p)
		length += readiness
		if why != "" {
			why += ", "
		}
		why += fmt.Sprintf("readiness probe: %s", readiness)
	}
	if length < leastGrace {
		return leastGrace, fmt.Sprintf("%s, and every container is given %s", why, leastGrace)
	}
	return length, why
}

// allowance returns how long a probe takes to give a definite result. The defaults are the API server's.
func allowance(p *corev1.Probe) time.Duration {
	period, failures, successes, timeout := p.PeriodSeconds, p.FailureThreshold, p.SuccessThreshold, p.TimeoutSeconds
	for field, value := range map[*int32]int32{&period: 10, &failures: 3, &successes: 1, &timeout: 1} {
		if *field == 0 {
			*field = value
		}
	}
	return time.Duration(p.InitialDelaySeconds+period*(failures+successes-1)+timeout) * time.Second
}

// usual returns how long a pod may be starting before that is reported. It is one and a half times as long as a pod took
// before, within leastUsual and mostUsual.
func (d *diagnosis) usual() time.Duration {
	took, _ := d.slowestOnce()
	return min(max(took+took/2, leastUsual), mostUsual)
}

// prove keeps the longest time that a pod took to become ready. The pod that showed it may be gone when another is judged by
// it.
func (d *diagnosis) prove() {
	d.report.Proven = d.Proven
	if took := d.slowest(); took != nil && (d.Proven == nil || *took > *d.Proven) {
		d.report.Proven = took
	}
}

// slowestOnce returns the longest time that a pod took to become ready, and whether one is known.
func (d *diagnosis) slowestOnce() (time.Duration, bool) {
	if d.report.Proven == nil {
		return 0, false
	}
	return *d.report.Proven, true
}

// slowest returns the longest time that a pod of either version took to become ready, or nil if no pod shows it. It leaves out
// pods that restarted or were ready before, and pods that took longer than a pod may.
func (d *diagnosis) slowest() *time.Duration {
	most := d.Deadline
	if most == 0 {
		most = usualDeadline
	}
	var slowest *time.Duration
	for _, pods := range [][]*corev1.Pod{d.Others, d.Pods} {
		for _, pod := range pods {
			again := d.wasReady(pod)
			if took, tells := tookToBeReady(pod); tells && !again && took < most && (slowest == nil || took > *slowest) {
				slowest = &took
			}
		}
	}
	return slowest
}

// wasReady reports whether a pod is known to have been ready before. It also records whether the pod is or was ready, since the
// Ready condition dates only the latest change.
func (d *diagnosis) wasReady(pod *corev1.Pod) bool {
	key := Key{UID: pod.UID, ID: string(corev1.PodReady)}
	if ready := condition(pod, corev1.PodReady); ready != nil && (ready.Status == corev1.ConditionTrue || hasLost(pod, ready)) {
		d.report.Seen[key] = ready.LastTransitionTime.Time
	}
	_, before := d.Seen[key]
	return before
}

// hasLost reports whether a pod that is not ready was ready before: it became unready after its containers started.
func hasLost(pod *corev1.Pod, ready *corev1.PodCondition) bool {
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool {
		return status.State.Running != nil && ready.LastTransitionTime.After(status.State.Running.StartedAt.Time)
	})
}

// tookToBeReady returns how long after the start of its containers a pod became ready, and whether the pod shows it.
func tookToBeReady(pod *corev1.Pod) (took time.Duration, tells bool) {
	ready := condition(pod, corev1.PodReady)
	if ready == nil || ready.Status != corev1.ConditionTrue || pod.DeletionTimestamp != nil {
		return 0, false
	}
	for i := range pod.Status.ContainerStatuses {
		status := &pod.Status.ContainerStatuses[i]
		if status.RestartCount > 0 || status.State.Running == nil {
			return 0, false
		}
		took = max(took, ready.LastTransitionTime.Sub(status.State.Running.StartedAt.Time))
	}
	return took, true
}
