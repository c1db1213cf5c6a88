package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// quiet is how long the start of a pod's containers may take without any sign of progress.
	quiet = 2 * time.Minute
	// askBefore is how long before reporting that events are read again, so that they are fresh.
	askBefore = 2 * time.Second
	// mostTold is how many unknown events of a pod are reported.
	mostTold = 3
)

// QuietAt returns from when on a pod's events are needed because its status shows no progress. It returns zero if all
// containers have been started.
func QuietAt(pod *corev1.Pod) time.Time {
	if !unstarted(pod) {
		return time.Time{}
	}
	return wentOn(pod).Add(quiet - askBefore)
}

// isQuiet reports whether that time has come.
func isQuiet(pod *corev1.Pod, now time.Time) bool {
	at := QuietAt(pod)
	return !at.IsZero() && !now.Before(at)
}

// untold returns a signal for a pod that makes no progress for an unknown reason. It is only a warning: volumes may be large
// and far away. The same holds for images, which get more time.
func (d *diagnosis) untold(pod *corev1.Pod) []signal {
	if !unstarted(pod) {
		return nil
	}
	since, step := wentOn(pod), d.newestStep(pod)
	if step != nil {
		since = latest(since, lastTold(step))
	}
	due := since.Add(quiet)
	if step != nil && step.Reason == "Pulling" || step == nil && (sandboxReady(pod) || d.Blind) {
		due = since.Add(recent) // an image may be on its way
	}
	if d.Now.Before(due) {
		d.wake(due)
		return nil
	}
	return []signal{{
		id: Undetermined, since: since, endless: true, evidence: d.hints(pod, step),
		message: fmt.Sprintf("not all containers have been started, the pod has not gone on since %s, and why is not known here", clock(since)),
	}}
}

// unstarted reports whether a container that has to keep running has not been started yet, or not since its node restarted.
func unstarted(pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" || !isLeft(pod) || isWell(pod) {
		return false
	}
	statuses := pod.Status.ContainerStatuses
	return len(statuses) == 0 || slices.ContainsFunc(statuses, func(status corev1.ContainerStatus) bool { return status.State.Running == nil })
}

// wentOn returns when a pod took its last step towards running containers, judging by its status.
func wentOn(pod *corev1.Pod) time.Time {
	last := pod.CreationTimestamp.Time
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodReadyToStartContainers, corev1.PodReady} {
		if c := condition(pod, kind); c != nil {
			last = latest(last, c.LastTransitionTime.Time)
		}
	}
	for _, status := range ContainerStatuses(pod) {
		if running := status.State.Running; running != nil {
			last = latest(last, running.StartedAt.Time)
		}
		if ended := status.State.Terminated; ended != nil {
			last = latest(last, ended.FinishedAt.Time)
		}
	}
	return last
}

// newestStep returns the newest event of such a step, or nil if none is known.
func (d *diagnosis) newestStep(pod *corev1.Pod) *corev1.Event {
	return d.event(pod, func(e *corev1.Event) bool {
		return slices.Contains([]string{"SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"}, e.Reason)
	})
}

// hints returns what is known: the reasons for which containers wait, and the newest warnings or else the last step.
func (d *diagnosis) hints(pod *corev1.Pod, step *corev1.Event) []string {
	var hints []string
	for _, status := range ContainerStatuses(pod) {
		if waiting := status.State.Waiting; waiting != nil && waiting.Reason != "" {
			hint := fmt.Sprintf("container %s waits: %s", status.Name, waiting.Reason)
			if waiting.Message != "" {
				hint += ": " + waiting.Message
			}
			hints = append(hints, hint)
		}
	}
	var warnings []*corev1.Event
	for _, event := range d.events[pod.UID] {
		if event.Type == corev1.EventTypeWarning && event.Reason != "FailedScheduling" { // the pod has a node by now
			warnings = append(warnings, event)
		}
	}
	slices.SortFunc(warnings, func(a, b *corev1.Event) int {
		return cmp.Or(lastTold(b).Compare(lastTold(a)), cmp.Compare(a.Message, b.Message))
	})
	switch told := warnings[:min(len(warnings), mostTold)]; {
	case len(told) > 0:
		for _, event := range told {
			hints = append(hints, inWords(event))
		}
	case step != nil:
		hints = append(hints, inWords(step))
	case d.Blind:
		hints = append(hints, "events, which may tell why, cannot be read")
	default:
		hints = append(hints, "no event that was read tells why")
	}
	return hints
}

func inWords(event *corev1.Event) string {
	return fmt.Sprintf("%s at %s: %s", event.Reason, clock(lastTold(event)), event.Message)
}

// lastTold returns when an event last came.
func lastTold(event *corev1.Event) time.Time {
	last := latest(event.LastTimestamp.Time, began(event))
	if event.Series != nil {
		last = latest(last, event.Series.LastObservedTime.Time)
	}
	return last
}
