package diagnose

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mostNodes is how many silent nodes are named.
const mostNodes = 10

// gatesNotMet is the kubelet's word for a pod that readiness gates alone keep from being ready.
const gatesNotMet = "ReadinessGatesNotReady"

// Excused tells whether a pod that is not ready, or whose containers end, is so by its node's doing or its own rules: it is about
// to go, its node is silent, or was started anew and has yet to start the containers again, or a restart rule ended them.
func Excused(pod *corev1.Pod) bool {
	return disrupted(pod) != nil || Silent(pod) || returning(pod) || restarts(pod)
}

// disrupted is the condition of a pod that is being evicted, preempted or shut down with its node, nil where it is not.
func disrupted(pod *corev1.Pod) *corev1.PodCondition {
	if target := condition(pod, corev1.DisruptionTarget); target != nil && target.Status == corev1.ConditionTrue {
		return target
	}
	return nil
}

// Silent tells whether a pod is not ready for its node's silence alone: the node controller takes the readiness of such pods
// away and nothing else. The kubelet itself does so only for a readiness gate, and gives that as the reason.
func Silent(pod *corev1.Pod) bool {
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
	if Silent(pod) {
		s := silentNode(pod)
		return &s
	}
	return nil
}

// silentNode is the signal of a pod whose node does not report any more.
func silentNode(pod *corev1.Pod) signal { return signal{id: NodeNotReady, node: pod.Spec.NodeName} }

// silence tells which nodes are silent.
func silence(nodes []string) string {
	if len(nodes) == 1 {
		return nodesOf(nodes) + " does not report any more; its pods are not ready, and those that are to go end only once it does"
	}
	return nodesOf(nodes) + " do not report any more; their pods are not ready, and those that are to go end only once they do"
}

// nodesOf names nodes.
func nodesOf(nodes []string) string {
	if len(nodes) == 1 {
		return "node " + nodes[0]
	}
	slices.Sort(nodes)
	names := strings.Join(nodes[:min(len(nodes), mostNodes)], ", ")
	if more := len(nodes) - mostNodes; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "nodes " + names
}
