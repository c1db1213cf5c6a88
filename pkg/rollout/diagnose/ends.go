package diagnose

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// restartingAll is the kubelet's word for a container that it ended because a rule of another one restarts them all.
	restartingAll = "RestartingAllContainers"
	// sandboxLag is how much later than a sandbox the kubelet may report it: a container may have started by then.
	sandboxLag = 3 * time.Second
)

// ruleFor returns the container's restart rule for an exit code, nil where none matches: the first one counts
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

// isIntended reports whether an end is what the pod's author asks for: a rule names this very exit code, or restarts all
// containers. A rule for all codes but some is how others write a restart policy: it intends no particular end.
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

// endedWithSandbox reports whether a container ended because the node made the pod's sandbox anew: then all containers end, and
// init containers run again. The sandbox is younger than the run that ended.
func endedWithSandbox(pod *corev1.Pod, ended *corev1.ContainerStateTerminated) bool {
	sandbox := condition(pod, corev1.PodReadyToStartContainers)
	if ended == nil || sandbox == nil || ended.StartedAt.IsZero() {
		return false
	}
	isYounger := sandbox.LastTransitionTime.After(ended.StartedAt.Add(sandboxLag))
	return isYounger && (sandbox.Status != corev1.ConditionTrue || !ended.FinishedAt.After(sandbox.LastTransitionTime.Time))
}

// isExcused reports whether an end of a container counts against nobody: its node, or the pod's own rules, account for it.
func isExcused(pod *corev1.Pod, name string, ended *corev1.ContainerStateTerminated) bool {
	return endedByNode(pod, ended) || isIntended(pod, name, ended)
}

// restarts reports whether a pod is not ready only because its own rules have containers started again.
func restarts(pod *corev1.Pod) bool {
	ready := notReady(pod)
	if ready == nil || Unready(pod) == nil {
		return false
	}
	return !slices.ContainsFunc(ContainerStatuses(pod), func(status corev1.ContainerStatus) bool {
		return !status.Ready && mustRun(pod, status.Name) && !isIntended(pod, status.Name, lastEnd(&status))
	})
}

// mustRun reports whether the container of a status has to go on running, as a main container or a sidecar.
func mustRun(pod *corev1.Pod, name string) bool {
	isInit := slices.ContainsFunc(pod.Status.InitContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == name })
	return !isInit || isSidecar(pod, name)
}

// counts reports whether an end counts against its container. An init container that has run again without an error does not.
func counts(pod *corev1.Pod, status *corev1.ContainerStatus, last *corev1.ContainerStateTerminated) bool {
	return !isExcused(pod, status.Name, last) && (last.ExitCode != 0 || mustRun(pod, status.Name))
}

// Crashes counts how often containers of a pod have ended, but for those whose last end counts against nobody.
func Crashes(pod *corev1.Pod) int32 {
	var count int32
	for _, status := range ContainerStatuses(pod) {
		if last := lastEnd(&status); last == nil || counts(pod, &status, last) {
			count += status.RestartCount
		}
	}
	return count
}

// HasEnded reports whether a container has ended that has to go on running.
func HasEnded(pod *corev1.Pod) bool {
	return slices.ContainsFunc(ContainerStatuses(pod), func(status corev1.ContainerStatus) bool {
		ended := status.State.Terminated
		return ended != nil && mustRun(pod, status.Name) && !isExcused(pod, status.Name, ended)
	})
}

// Culprit returns the container whose end made a pod unready, nil where none has ended: of several the one that ended first
// since then, of those before that the last.
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

// Unready returns the container that keeps a pod from being ready, nil where none does: one that has ended comes before one whose
// probe fails.
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
