package diagnose

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// gatesNotMet is the kubelet's word for a pod that readiness gates alone keep from being ready.
const gatesNotMet = "ReadinessGatesNotReady"

// Excused tells whether a pod that is not ready, or whose containers end, is so by its node's doing: it is about to go, its
// node is silent, or was started anew and has yet to start the containers again.
func Excused(pod *corev1.Pod) bool {
	return disrupted(pod) != nil || silent(pod) || returning(pod)
}

// disrupted is the condition of a pod that is being evicted, preempted or shut down with its node, nil where it is not.
func disrupted(pod *corev1.Pod) *corev1.PodCondition {
	if target := condition(pod, corev1.DisruptionTarget); target != nil && target.Status == corev1.ConditionTrue {
		return target
	}
	return nil
}

// silent tells whether a pod is not ready for its node's silence alone: the node controller takes the readiness of such pods
// away and nothing else. The kubelet itself does so only for a readiness gate, and gives that as the reason.
func silent(pod *corev1.Pod) bool {
	ready, containers := notReady(pod), condition(pod, corev1.ContainersReady)
	return ready != nil && ready.Reason != gatesNotMet && containers != nil && containers.Status == corev1.ConditionTrue
}

// EndedByNode tells whether all containers of a pod ended last by their node's doing: it was started anew, or has made the pod's
// sandbox anew.
func EndedByNode(pod *corev1.Pod) bool {
	statuses := pod.Status.ContainerStatuses
	return len(statuses) > 0 && !slices.ContainsFunc(statuses, func(status corev1.ContainerStatus) bool { return !endedByNode(pod, lastEnd(&status)) })
}

// returning tells whether a pod has not been ready since its node was started anew.
func returning(pod *corev1.Pod) bool {
	ready := notReady(pod)
	if ready == nil || !EndedByNode(pod) {
		return false
	}
	return !slices.ContainsFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool {
		return status.State.Running != nil && status.State.Running.StartedAt.Before(&ready.LastTransitionTime)
	})
}

// endedByNode recognizes an end by the words of the kubelet and of containerd for one that they have not seen, and by a sandbox
// that is younger.
func endedByNode(pod *corev1.Pod, last *corev1.ContainerStateTerminated) bool {
	return last != nil && (slices.Contains([]string{"ContainerStatusUnknown", "Unknown"}, last.Reason) || endedWithSandbox(pod, last))
}

// nodesDoing is the signal of a pod whose node, and nothing of its own, keeps it from being ready; nil for another.
func nodesDoing(pod *corev1.Pod) *signal {
	if target := disrupted(pod); target != nil {
		return &signal{id: PodEvicted, reason: target.Reason, message: target.Message}
	}
	if silent(pod) {
		return &signal{id: NodeNotReady, message: "node " + pod.Spec.NodeName + " does not report any more; the pod's containers were ready before"}
	}
	return nil
}
