package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mostAsked is about how many pods events are asked for at most, however many there are.
const mostAsked = 5

// Ask names the pods of which more has to be known than they tell themselves: their events. Of pods in the same state one
// speaks for all, always the same; where its events tell that it goes on another is asked, which may be stuck. One that has
// not gone on for long is asked again.
func Ask(in *Input) []*corev1.Pod {
	events := byObject(in.Events)
	speakers := map[string]*corev1.Pod{}
	for _, pod := range in.Pods {
		state := stateOf(pod)
		if state == "" || Preparing(pod) && Begun(events[pod.UID]) && !isQuiet(pod, in.Now) {
			continue
		}
		if other := speakers[state]; other == nil || before(pod, other, events) {
			speakers[state] = pod
		}
	}
	ask := slices.SortedFunc(maps.Values(speakers), func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	ask = ask[:min(len(ask), mostAsked)]
	rest := slices.Concat(in.Stale, leaving(in, events))
	return append(ask, rest[:min(len(rest), mostAsked-len(ask))]...)
}

// leaving is one of the pods that are ending, where they have hooks that run then.
func leaving(in *Input, events map[types.UID][]*corev1.Event) []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range slices.Concat(in.Others, in.Pods) {
		if pod.DeletionTimestamp != nil && hasPreStop(pod) && (len(found) == 0 || before(pod, found[0], events)) {
			found = []*corev1.Pod{pod}
		}
	}
	return found
}

func hasPreStop(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Lifecycle != nil && c.Lifecycle.PreStop != nil })
}

// before tells whether of two pods alike one is asked rather than the other: that which was before, else by their names.
func before(a, b *corev1.Pod, events map[types.UID][]*corev1.Event) bool {
	if known, other := len(events[a.UID]) > 0, len(events[b.UID]) > 0; known != other {
		return known
	}
	return a.Name < b.Name
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
	well := isWell(pod)
	var b strings.Builder
	fmt.Fprintf(&b, "%t %t", pod.Spec.NodeName != "", sandboxReady(pod))
	for _, status := range ContainerStatuses(pod) {
		fmt.Fprintf(&b, " %s", status.Name)
		switch state := status.State; {
		case state.Waiting != nil && isPull(state.Waiting.Reason):
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

// lend gives the events of a pod to those in the same state whose own are not known. What else the pods tell differs, as
// since when and how often. Where one is seen to be through with what the others wait for, they are not said to be stuck.
func (d *diagnosis) lend() {
	if len(d.events) == 0 {
		return
	}
	states, lenders := make([]string, len(d.Pods)), map[string][]*corev1.Event{}
	for i, pod := range d.Pods {
		own, state := d.events[pod.UID], stateOf(pod)
		states[i] = state
		if lent := lenders[state]; state != "" && len(own) > 0 && (lent == nil || Begun(own) && !Begun(lent)) {
			lenders[state] = own
		}
	}
	for i, pod := range d.Pods {
		if events := lenders[states[i]]; events != nil && len(d.events[pod.UID]) == 0 {
			d.events[pod.UID] = events
		}
	}
}

// Begun tells whether a pod's volumes and sandbox are there, since what comes after that has been told.
func Begun(events []*corev1.Event) bool {
	return slices.ContainsFunc(events, func(e *corev1.Event) bool {
		return e.Reason == "Pulling" || e.Reason == "Pulled" || e.Reason == "Created"
	})
}
