package diagnose

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// restartingAll is the kubelet's reason for a container that it ended because a rule of another container restarts them
	// all.
	restartingAll = "RestartingAllContainers"
	// sandboxLag is how long after a sandbox is made the kubelet may report it. A container may have started in between.
	sandboxLag = 3 * time.Second
)

// ruleFor returns the container's restart rule for an exit code, or nil if none matches. The first matching rule counts
// (FindMatchingContainerRestartRule in the kubelet's podutil).
func ruleFor(c *corev1.Container, exitCode int32) *corev1.ContainerRestartRule {
	for i := range c.RestartPolicyRules {
		rule := &c.RestartPolicyRules[i]
		if rule.ExitCodes == nil {
			continue
		}
		listed := slices.Contains(rule.ExitCodes.Values, exitCode)
		switch rule.ExitCodes.Operator {
		case corev1.ContainerRestartRuleOnExitCodesOpIn:
			if listed {
				return rule
			}
		case corev1.ContainerRestartRuleOnExitCodesOpNotIn:
			if !listed {
				return rule
			}
		}
	}
	return nil
}

// startsAgain reports whether the kubelet starts a container again after it has ended (ContainerShouldRestart in its podutil).
// A container's own rules come first, then its own policy, then the pod's.
func startsAgain(pod *corev1.Pod, name string, ended *corev1.ContainerStateTerminated) bool {
	c := specOf(pod, name)
	if c == nil || ended.Reason == restartingAll || ruleFor(c, ended.ExitCode) != nil {
		return true
	}
	policy := string(pod.Spec.RestartPolicy)
	if c.RestartPolicy != nil {
		policy = string(*c.RestartPolicy)
	}
	switch corev1.RestartPolicy(policy) {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return ended.ExitCode != 0
	}
	return true
}

// isIntended reports whether the pod's author asked for an end. That is so if a rule lists this very exit code, or if a rule
// restarts all containers. A rule for all but some codes is only another form of a restart policy, so it intends no particular
// end.
func isIntended(pod *corev1.Pod, name string, ended *corev1.ContainerStateTerminated) bool {
	if ended == nil {
		return false
	}
	if ended.Reason == restartingAll {
		return true
	}
	c := specOf(pod, name)
	if c == nil {
		return false
	}
	rule := ruleFor(c, ended.ExitCode)
	return rule != nil && rule.ExitCodes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn
}

// endedWithSandbox reports whether a container ended because the node created the pod's sandbox anew. All containers end then,
// and init containers run again. The sandbox is younger than the run that ended.
func endedWithSandbox(pod *corev1.Pod, ended *corev1.ContainerStateTerminated) bool {
	sandbox := condition(pod, corev1.PodReadyToStartContainers)
	if ended == nil || sandbox == nil || ended.StartedAt.IsZero() {
		return false
	}
	isYounger := sandbox.LastTransitionTime.After(ended.StartedAt.Add(sandboxLag))
	return isYounger && (sandbox.Status != corev1.ConditionTrue || !ended.FinishedAt.After(sandbox.LastTransitionTime.Time))
}

// isExcused reports whether an end does not count against the container, because its node or the pod's own rules caused it.
func isExcused(pod *corev1.Pod, name string, ended *corev1.ContainerStateTerminated) bool {
	return endedByNode(pod, ended) || isIntended(pod, name, ended)
}

// restarts reports whether a pod is not ready only because its own rules restart containers.
func restarts(pod *corev1.Pod) bool {
	ready := notReady(pod)
	if ready == nil || Unready(pod) == nil {
		return false
	}
	return !slices.ContainsFunc(ContainerStatuses(pod), func(status corev1.ContainerStatus) bool {
		return !status.Ready && mustRun(pod, status.Name) && !isIntended(pod, status.Name, lastEnd(&status))
	})
}

// mustRun reports whether a container has to keep running, as a main container or a sidecar.
func mustRun(pod *corev1.Pod, name string) bool {
	isInit := slices.ContainsFunc(pod.Status.InitContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == name })
	return !isInit || isSidecar(pod, name)
}

// counts reports whether an end counts against its container. The end of an init container that has run again without an error
// does not.
func counts(pod *corev1.Pod, status *corev1.ContainerStatus, last *corev1.ContainerStateTerminated) bool {
	return !isExcused(pod, status.Name, last) && (last.ExitCode != 0 || mustRun(pod, status.Name))
}

// Crashes returns how often the containers of a pod have ended. It leaves out containers whose last end does not count against
// them.
func Crashes(pod *corev1.Pod) int32 {
	var count int32
	for _, status := range ContainerStatuses(pod) {
		if last := lastEnd(&status); last == nil || counts(pod, &status, last) {
			count += status.RestartCount
		}
	}
	return count
}

// HasEnded reports whether a container that has to keep running has ended.
func HasEnded(pod *corev1.Pod) bool {
	return slices.ContainsFunc(ContainerStatuses(pod), func(status corev1.ContainerStatus) bool {
		ended := status.State.Terminated
		return ended != nil && mustRun(pod, status.Name) && !isExcused(pod, status.Name, ended)
	})
}

// Culprit returns the container whose end made a pod unready, or nil if none has ended. It prefers the container that ended
// first since the pod became unready. If none has ended since then, it returns the one that ended last before that.
func Culprit(pod *corev1.Pod) *corev1.ContainerStatus {
	var lostAt time.Time
	if ready := notReady(pod); ready != nil {
		lostAt = ready.LastTransitionTime.Add(-sandboxLag)
	}
	var found *corev1.ContainerStatus
	var at time.Time
	for _, status := range ContainerStatuses(pod) {
		last := lastEnd(&status)
		if last == nil || !counts(pod, &status, last) {
			continue
		}
		ended := last.FinishedAt.Time
		isSince := !lostAt.IsZero() && !ended.Before(lostAt)
		wasSince := !lostAt.IsZero() && !at.Before(lostAt)
		if found == nil || isSince && (!wasSince || ended.Before(at)) || !isSince && !wasSince && ended.After(at) {
			found, at = &status, ended
		}
	}
	return found
}

// Unready returns the container that keeps a pod from being ready, or nil if there is none. A container that does not run comes
// before one whose probe fails.
func Unready(pod *corev1.Pod) *corev1.ContainerStatus {
	var found *corev1.ContainerStatus
	for _, status := range ContainerStatuses(pod) {
		if status.Ready || !mustRun(pod, status.Name) {
			continue
		}
		if status.State.Running == nil {
			return &status
		}
		if found == nil {
			found = &status
		}
	}
	return found
}

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
