package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stuckAfter is how long after its grace period a pod may still be ending.
const stuckAfter = 30 * time.Second

// heldAfter is how long finalizers may hold a pod that has ended before that is reported.
const heldAfter = 5 * time.Second

// signalsOf returns the signals of one pod, each marked as about this pod.
func (d *diagnosis) signalsOf(pod *corev1.Pod) []signal {
	signals := d.pod(pod)
	for i := range signals {
		signals[i].pod, signals[i].object, signals[i].uid = pod, Object{"Pod", pod.Name}, pod.UID
	}
	return signals
}

// pod returns the signals of one pod of the newest version, or of any pod that is ending.
func (d *diagnosis) pod(pod *corev1.Pod) []signal {
	switch {
	case pod.DeletionTimestamp != nil:
		return append(d.terminating(pod), d.hooks(pod)...)
	case pod.Status.Phase == corev1.PodFailed:
		return []signal{failed(pod)}
	case pod.Status.Phase == corev1.PodSucceeded:
		return nil
	}
	if s := nodesDoing(pod); s != nil {
		return []signal{*s}
	}
	scheduled := condition(pod, corev1.PodScheduled)
	if pod.Spec.NodeName == "" && (scheduled != nil && scheduled.Status != corev1.ConditionTrue || scheduled == nil && len(pod.Status.ContainerStatuses) == 0) {
		return []signal{d.pending(pod, scheduled)}
	}
	var signals []signal
	if !sandboxReady(pod) {
		signals = append(signals, d.preparing(pod)...)
	}
	for i := range pod.Status.InitContainerStatuses {
		signals = append(signals, d.container(pod, &pod.Status.InitContainerStatuses[i], true)...)
	}
	for i := range pod.Status.ContainerStatuses {
		signals = append(signals, d.container(pod, &pod.Status.ContainerStatuses[i], false)...)
	}
	if len(signals) == 0 {
		signals = d.unready(pod)
	}
	if len(signals) == 0 {
		signals = d.untold(pod)
	}
	return append(signals, d.hooks(pod)...)
}

// failed describes a pod that has ended and that its controller replaces.
func failed(pod *corev1.Pod) signal {
	id := PodFailed
	switch pod.Status.Reason {
	case "Evicted", "Preempting", "NodeLost", "Shutdown", "Terminated", "NodeShutdown":
		id = PodEvicted
	}
	s := signal{id: id, reason: pod.Status.Reason, message: pod.Status.Message}
	if s.message == "" {
		s.message = "the pod has ended and is replaced"
	}
	return s
}

// ContainerStatuses returns the statuses of init containers, in their order, followed by those of the other containers.
func ContainerStatuses(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

// terminating returns a signal if a pod should have ended by now. Its deletionTimestamp is when its grace period ends.
func (d *diagnosis) terminating(pod *corev1.Pod) []signal {
	if pod.DeletionTimestamp == nil {
		return nil
	}
	if Silent(pod) {
		return []signal{silentNode(pod)}
	}
	ends, stuck := pod.DeletionTimestamp.Time, stuckAfter
	if len(pod.Finalizers) > 0 {
		ends, stuck = earliest(*pod.DeletionTimestamp, allEnded(pod)), heldAfter
	}
	if due := ends.Add(stuck); d.Now.Before(due) {
		d.wake(due)
		return nil
	}
	late := d.Now.Sub(ends).Truncate(time.Second)
	if len(pod.Finalizers) > 0 {
		finalizers := strings.Join(pod.Finalizers, ", ")
		return []signal{{
			id: StuckTerminating, evidence: []string{"finalizers: " + finalizers},
			message: fmt.Sprintf("the pod has ended, or should have, %s ago; it is gone once these finalizers are removed: %s", late, finalizers),
		}}
	}
	s := signal{id: StuckTerminating, message: fmt.Sprintf("the pod should have ended %s ago", late)}
	if node := pod.Spec.NodeName; node != "" {
		s.message += "; node " + node + " has not ended it"
		s.subject, s.remedies = node, []string{"kubectl describe node {subject}", describe}
	}
	return []signal{s}
}

// allEnded returns when the last container of a pod ended, or zero if one may still run.
func allEnded(pod *corev1.Pod) metav1.Time {
	var last metav1.Time
	for _, status := range pod.Status.ContainerStatuses {
		ended := status.State.Terminated
		if ended == nil {
			return metav1.Time{}
		}
		if last.Before(&ended.FinishedAt) {
			last = ended.FinishedAt
		}
	}
	return last
}

// blocked returns the signals of the pods of older revisions that a StatefulSet waits for.
func (d *diagnosis) blocked() []signal {
	var signals []signal
	for i, pod := range slices.Concat(d.Stale, d.Recovering) {
		s := signal{
			id: StaleRevisionBlocks, pod: pod, object: Object{"Pod", pod.Name}, uid: pod.UID,
			message: "the pod is of an older revision and is not ready, so that the controller does not go on to the newest",
		}
		if i >= len(d.Stale) {
			s.id = StaleRevisionUnready
		}
		if ready := condition(pod, corev1.PodReady); ready != nil {
			s.since = ready.LastTransitionTime.Time
		}
		for _, inner := range d.pod(pod) {
			s.evidence = append(s.evidence, strings.TrimSuffix(inner.id+": "+inner.message, ": "))
		}
		signals = append(signals, s)
	}
	return signals
}

// hooks returns the signals of hooks that fail without ending the container.
func (d *diagnosis) hooks(pod *corev1.Pod) []signal {
	if event := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "FailedPreStopHook" }); event != nil {
		return []signal{{id: FailedPreStopHook, reason: event.Reason, message: event.Message, container: containerOf(event)}}
	}
	return nil
}

// unready returns a signal for a pod whose containers are all ready, but which is not ready itself.
func (d *diagnosis) unready(pod *corev1.Pod) []signal {
	ready := condition(pod, corev1.PodReady)
	if ready == nil || ready.Status == corev1.ConditionTrue || len(pod.Status.ContainerStatuses) == 0 {
		return nil
	}
	for i := range pod.Status.ContainerStatuses {
		if !pod.Status.ContainerStatuses[i].Ready {
			return nil
		}
	}
	s := signal{id: NotReady, reason: ready.Reason, message: ready.Message, since: ready.LastTransitionTime.Time, grace: leastGrace}
	if ready.Reason == gatesNotMet {
		d.gated(pod, &s)
	}
	return []signal{s}
}

// gated describes a pod that a readiness gate keeps from being ready. The component that meets the gate, such as a load
// balancer, starts when the containers are ready.
func (d *diagnosis) gated(pod *corev1.Pod, s *signal) {
	s.id, s.grace, s.why = ReadinessGateNotMet, leastGrace, fmt.Sprintf("readiness gates are given %s", leastGrace)
	if ready := condition(pod, corev1.ContainersReady); ready != nil && ready.Status == corev1.ConditionTrue {
		s.since = latest(s.since, ready.LastTransitionTime.Time)
	}
	if took, _ := d.slowestOnce(); 2*took > s.grace {
		s.grace, s.why = 2*took, fmt.Sprintf("twice the %s that another pod took", took)
	}
	if d.Deadline > s.grace {
		s.grace, s.why = d.Deadline, "readiness gates are given the progress deadline"
	}
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// isWell reports whether a pod is ready.
func isWell(pod *corev1.Pod) bool {
	ready := condition(pod, corev1.PodReady)
	return ready != nil && ready.Status == corev1.ConditionTrue
}

// notReady returns the Ready condition of a pod that is not ready, or nil for a ready pod.
func notReady(pod *corev1.Pod) *corev1.PodCondition {
	if pod == nil {
		return nil
	}
	if ready := condition(pod, corev1.PodReady); ready != nil && ready.Status != corev1.ConditionTrue {
		return ready
	}
	return nil
}

// sandboxReady reports whether the pod's volumes are mounted and its network is set up.
func sandboxReady(pod *corev1.Pod) bool {
	ready := condition(pod, corev1.PodReadyToStartContainers)
	return ready != nil && ready.Status == corev1.ConditionTrue
}

// event returns the newest wanted event of a pod.
func (d *diagnosis) event(pod *corev1.Pod, wanted func(*corev1.Event) bool) *corev1.Event {
	var newest *corev1.Event
	for _, event := range d.events[pod.UID] {
		if wanted(event) && (newest == nil || newest.LastTimestamp.Before(&event.LastTimestamp)) {
			newest = event
		}
	}
	return newest
}

// containerOf returns the container that an event is about. The event's field path is spec.containers{app}.
func containerOf(event *corev1.Event) string {
	_, name, _ := strings.Cut(event.InvolvedObject.FieldPath, "{")
	return strings.TrimSuffix(name, "}")
}

// began returns when an event first came.
func began(event *corev1.Event) time.Time {
	return earliest(event.FirstTimestamp, event.CreationTimestamp, metav1.NewTime(event.EventTime.Time))
}

func earliest(times ...metav1.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Time.Before(first)) {
			first = t.Time
		}
	}
	return first
}
