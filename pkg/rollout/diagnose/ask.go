package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mostAsked is the greatest number of pods whose events are read, however many pods there are.
const mostAsked = 5

// Ask returns the pods whose events are needed because their status does not explain their state. One pod speaks for all pods
// in the same state, always the same one. If its events show progress, another pod is asked instead, since that one may be
// stuck. A pod without progress for long is asked again. Stale pods, and one ending pod with hooks, come last.
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

// leaving returns at most one pod that is ending and has preStop hooks.
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

// before reports whether to ask pod a rather than b, which is in the same state. A pod whose events are known comes first.
// Otherwise the names decide.
func before(a, b *corev1.Pod, events map[types.UID][]*corev1.Event) bool {
	if known, other := len(events[a.UID]) > 0, len(events[b.UID]) > 0; known != other {
		return known
	}
	return a.Name < b.Name
}

// Preparing reports whether only events can explain a pod's state. Such a pod has a node, but no container runs or names a
// reason for waiting.
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

// stateOf returns a key that pods in the same state share. It returns "" for a pod that needs no explanation.
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

// lend gives the events of a pod to the pods in the same state whose own events are not known. Times and counts of each pod
// remain its own. It prefers the events of a pod that has begun to start containers, so that the others are not reported as
// stuck.
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

// Begun reports whether a pod's volumes and sandbox are ready, because there are events of later steps.
func Begun(events []*corev1.Event) bool {
	return slices.ContainsFunc(events, func(e *corev1.Event) bool {
		return e.Reason == "Pulling" || e.Reason == "Pulled" || e.Reason == "Created"
	})
}
