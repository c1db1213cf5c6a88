package diagnose

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mostAsked is about how many pods events are asked for at most, however many there are.
const mostAsked = 5

// Ask names the pods of which more has to be known than they tell themselves: their events. Of pods in the same state one
// speaks for all.
func Ask(in *Input) []*corev1.Pod {
	var ask []*corev1.Pod
	asked := map[string]bool{}
	for _, pod := range in.Pods {
		state := stateOf(pod)
		if state == "" || asked[state] || len(ask) == mostAsked {
			continue
		}
		asked[state] = true
		ask = append(ask, pod)
	}
	return append(ask, in.Stale[:min(len(in.Stale), mostAsked-len(ask))]...)
}

// Preparing tells whether only events can say how a pod is: it has a node, and nothing of it runs or has a reason not to.
func Preparing(pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" || pod.DeletionTimestamp != nil || sandboxReady(pod) {
		return false
	}
	for _, status := range ContainerStatuses(pod) {
		waiting := status.State.Waiting
		if waiting == nil || waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing" {
			return false
		}
	}
	return true
}

// stateOf tells pods that are alike, and is empty for those that need no explanation.
func stateOf(pod *corev1.Pod) string {
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded || pod.DeletionTimestamp != nil {
		return ""
	}
	well := notReady(pod) == nil && condition(pod, corev1.PodReady) != nil
	var b strings.Builder
	fmt.Fprintf(&b, "%t %t", pod.Spec.NodeName != "", sandboxReady(pod))
	for _, status := range ContainerStatuses(pod) {
		fmt.Fprintf(&b, " %s", status.Name)
		switch state := status.State; {
		case state.Waiting != nil && (state.Waiting.Reason == "ErrImagePull" || state.Waiting.Reason == "ImagePullBackOff"):
			b.WriteString(" pull")
		case state.Waiting != nil && state.Waiting.Reason != "CrashLoopBackOff":
			b.WriteString(" " + state.Waiting.Reason)
		default:
			fmt.Fprintf(&b, " runs %t", state.Running != nil && status.Ready)
		}
		if last := lastEnd(&status); last != nil {
			fmt.Fprintf(&b, " %s %d", last.Reason, last.ExitCode)
			well = well && status.RestartCount == 0
		}
	}
	if well {
		return ""
	}
	return b.String()
}

// spokesmen are the pods whose events are known, by their state.
func (d *diagnosis) spokesmen() map[string]*corev1.Pod {
	if len(d.events) == 0 {
		return nil
	}
	found := map[string]*corev1.Pod{}
	for _, pod := range d.Pods {
		if state := stateOf(pod); state != "" && len(d.events[pod.UID]) > 0 && found[state] == nil {
			found[state] = pod
		}
	}
	return found
}

// alike are the signals of a pod whose events are not known, by those of one in the same state whose events are: nil
// where there is none.
func (d *diagnosis) alike(pod *corev1.Pod, known map[string]*corev1.Pod, told map[types.UID][]signal) []signal {
	if len(known) == 0 || len(d.events[pod.UID]) > 0 {
		return nil
	}
	other := known[stateOf(pod)]
	if other == nil {
		return nil
	}
	if told[other.UID] == nil {
		told[other.UID] = d.pod(other)
	}
	return append([]signal{}, told[other.UID]...)
}
