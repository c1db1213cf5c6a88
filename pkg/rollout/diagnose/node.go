package diagnose

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mostNodes is how many silent nodes a message names.
const mostNodes = 10

// gatesNotMet is the kubelet's reason for a pod that only readiness gates keep from being ready.
const gatesNotMet = "ReadinessGatesNotReady"

// Excused reports whether a pod is unready, or its containers end, because of its node or its own rules. The pod may be about
// to go, or its node may be silent. The node may have restarted and not yet started the containers again. Or a restart rule has
// ended them.
func Excused(pod *corev1.Pod) bool {
	return disrupted(pod) != nil || Silent(pod) || nodeComesBack(pod) || restarts(pod)
}

// disrupted returns the condition of a pod that is evicted, preempted or shut down with its node, or nil for any other pod.
func disrupted(pod *corev1.Pod) *corev1.PodCondition {
	if target := condition(pod, corev1.DisruptionTarget); target != nil && target.Status == corev1.ConditionTrue {
		return target
	}
	return nil
}

// Silent reports whether a pod is not ready only because its node is silent. The node controller takes away the readiness of
// such pods and changes nothing else. The kubelet does the same only for a readiness gate, and gives that as the reason.
func Silent(pod *corev1.Pod) bool {
	ready, containers := notReady(pod), condition(pod, corev1.ContainersReady)
	return ready != nil && ready.Reason != gatesNotMet && containers != nil && containers.Status == corev1.ConditionTrue
}

// EndedByNode reports whether the node caused the last end of every container of a pod. It has restarted, or created the pod's
// sandbox anew.
func EndedByNode(pod *corev1.Pod) bool {
	statuses := pod.Status.ContainerStatuses
	return len(statuses) > 0 && !slices.ContainsFunc(statuses, func(status corev1.ContainerStatus) bool { return !endedByNode(pod, lastEnd(&status)) })
}

// nodeComesBack reports whether a pod has not been ready since its node restarted.
func nodeComesBack(pod *corev1.Pod) bool {
	ready := notReady(pod)
	if ready == nil || !EndedByNode(pod) {
		return false
	}
	return !slices.ContainsFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool {
		return status.State.Running != nil && status.State.Running.StartedAt.Before(&ready.LastTransitionTime)
	})
}

// endedByNode reports whether an end is due to the node. The kubelet and containerd use certain words for an end that they did
// not see. A younger sandbox shows it, too.
func endedByNode(pod *corev1.Pod, last *corev1.ContainerStateTerminated) bool {
	return last != nil && (slices.Contains([]string{"ContainerStatusUnknown", "Unknown"}, last.Reason) || endedWithSandbox(pod, last))
}

// nodesDoing returns the signal of a pod that only its node keeps from being ready, or nil for any other pod.
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

// silentNode returns the signal of a pod whose node no longer reports.
func silentNode(pod *corev1.Pod) signal { return signal{id: NodeNotReady, node: pod.Spec.NodeName} }

// silence describes which nodes are silent.
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
