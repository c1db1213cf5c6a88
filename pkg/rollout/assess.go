package rollout

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Finding is why a rollout does not come good: which pod and container, and what Kubernetes says of it.
type Finding struct {
	// Reason is Kubernetes' own word, such as CrashLoopBackOff.
	Reason string
	// Message is Kubernetes' own text, where it has one.
	Message string
	// Pod and Container are empty where the cause is not one pod's.
	Pod, Container string
	// ExitCode is that of the container's last run, nil where it has not ended.
	ExitCode *int32
	// Pods is how many new pods are in this state.
	Pods int
	// Logs are the last lines of the container's last run.
	Logs []string

	restarted bool
	hasLogs   bool
}

// String tells the finding in one line, without the log lines.
func (f *Finding) String() string {
	var b strings.Builder
	switch {
	case f.Container != "":
		fmt.Fprintf(&b, "pod %s, container %s: ", f.Pod, f.Container)
	case f.Pod != "":
		fmt.Fprintf(&b, "pod %s: ", f.Pod)
	}
	b.WriteString(f.Reason)
	if f.Message != "" {
		b.WriteString(": " + strings.Join(strings.Fields(f.Message), " "))
	}
	if f.ExitCode != nil {
		fmt.Fprintf(&b, " (exit code %d)", *f.ExitCode)
	}
	if f.Pods > 1 {
		fmt.Fprintf(&b, " (%d pods alike)", f.Pods)
	}
	return b.String()
}

// isFatal tells whether a container that waits for this reason will not come good by itself. The words are the
// kubelet's (pkg/kubelet/images/types.go, pkg/kubelet/container/sync_result.go).
func isFatal(waiting *corev1.ContainerStateWaiting) bool {
	switch waiting.Reason {
	case "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"SignatureValidationFailed", "CreateContainerError", "RunContainerError", "PostStartHookError":
		return true
	case "CreateContainerConfigError":
		// The kubelet says so too while it has not yet fetched an object that does exist.
		return !strings.Contains(waiting.Message, "failed to sync")
	}
	return false
}

// failure is the state of the new pods that will not come good, nil where there is none.
func (s *Snapshot) failure(current *appsv1.ReplicaSet) *Finding {
	return failureOf(s.Pods, func(pod *corev1.Pod) bool { return ownedBy(pod, current) })
}

// failureOf is the state of those pods that will not come good, nil where there is none. Of several it is the one that
// most pods are in.
func failureOf(pods []*corev1.Pod, concerns func(*corev1.Pod) bool) *Finding {
	type cause struct{ reason, container string }
	findings := map[cause]*Finding{}
	var worst *Finding
	for _, pod := range pods {
		if !concerns(pod) {
			continue
		}
		finding := podFailure(pod)
		if finding == nil {
			continue
		}
		key := cause{finding.Reason, finding.Container}
		if findings[key] == nil {
			findings[key] = finding
		}
		findings[key].Pods++
		if worst == nil || findings[key].Pods > worst.Pods {
			worst = findings[key]
		}
	}
	return worst
}

func podFailure(pod *corev1.Pod) *Finding {
	for _, status := range containerStatuses(pod) {
		if waiting := status.State.Waiting; waiting != nil && isFatal(waiting) {
			finding := &Finding{Reason: waiting.Reason, Message: waiting.Message, Pod: pod.Name, Container: status.Name}
			finding.addLastRun(&status)
			return finding
		}
	}
	return nil
}

// addLastRun adds how the container's last run ended.
func (f *Finding) addLastRun(status *corev1.ContainerStatus) {
	last := status.State.Terminated
	if last == nil {
		last = status.LastTerminationState.Terminated
		f.restarted = status.RestartCount > 0
	}
	f.hasLogs = last != nil || status.State.Running != nil
	if last == nil {
		return
	}
	f.ExitCode = &last.ExitCode
	if last.Reason != "" && last.Reason != "Error" && last.Reason != "Completed" {
		f.Message = strings.TrimSpace(last.Reason + ": " + f.Message)
	}
	if last.Message != "" {
		f.Message = strings.TrimSpace(f.Message + ": " + last.Message)
	}
}

// containerStatuses are those of init containers, in their order, before those of the others.
func containerStatuses(pod *corev1.Pod) []corev1.ContainerStatus {
	all := append([]corev1.ContainerStatus{}, pod.Status.InitContainerStatuses...)
	return append(all, pod.Status.ContainerStatuses...)
}

// stalled says why a step did not progress within its deadline, as far as the objects tell.
func (s *Snapshot) stalled(current *appsv1.ReplicaSet, seconds int32) *Finding {
	finding := &Finding{
		Reason:  "ProgressDeadlineExceeded",
		Message: fmt.Sprintf("no new pod became ready for %d s (progressDeadlineSeconds)", seconds),
	}
	if !s.Observed() || current == nil {
		finding.Message += ", and the Deployment controller has not acted on the last change"
		return finding
	}
	for _, pod := range s.Pods {
		if ready, _ := readySince(pod); ready || !ownedBy(pod, current) {
			continue
		}
		finding.Pods++
		if finding.Pod == "" {
			finding.addUnready(pod)
		}
	}
	for _, condition := range s.Deployment.Status.Conditions {
		if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
			finding.Message += "; " + condition.Reason + ": " + condition.Message
		}
	}
	return finding
}

// addUnready adds what a pod that is not ready says of itself.
func (f *Finding) addUnready(pod *corev1.Pod) {
	f.Pod = pod.Name
	if scheduled := podCondition(pod, corev1.PodScheduled); scheduled != nil && scheduled.Status == corev1.ConditionFalse {
		f.Message += "; " + scheduled.Reason + ": " + scheduled.Message
		return
	}
	for _, status := range containerStatuses(pod) {
		if waiting := status.State.Waiting; waiting != nil && waiting.Reason != "PodInitializing" {
			f.Container, f.Message = status.Name, strings.TrimSuffix(f.Message+"; "+waiting.Reason+": "+waiting.Message, ": ")
			f.addLastRun(&status)
			return
		}
	}
	for _, status := range pod.Status.ContainerStatuses {
		if !status.Ready {
			state := "; the container runs and is not ready"
			if status.State.Terminated != nil {
				state = "; the container has ended"
			}
			f.Container, f.Message = status.Name, f.Message+state
			f.addLastRun(&status)
			return
		}
	}
}

// restarts counts the restarts of a pod's containers.
func restarts(pod *corev1.Pod) int32 {
	var count int32
	for _, status := range containerStatuses(pod) {
		count += status.RestartCount
	}
	return count
}
