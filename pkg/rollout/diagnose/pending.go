package diagnose

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// unmounted begins the kubelet's message about missing volumes. The kubelet emits it about every waitsForVolumes.
	unmounted       = "Unable to attach or mount volumes"
	waitsForVolumes = 150 * time.Second
)

// pending explains why a pod has no node.
func (d *diagnosis) pending(pod *corev1.Pod, scheduled *corev1.PodCondition) signal {
	if scheduled == nil {
		return d.unscheduled(pod)
	}
	s := signal{
		id: Unschedulable, reason: scheduled.Reason, message: scheduled.Message, since: scheduled.LastTransitionTime.Time,
		why: "a node may be added, or room be made, within 1m0s after a pod became ready or an old one had to have ended, and while one comes up",
	}
	if scheduled.Reason == corev1.PodReasonSchedulingGated {
		s.id = SchedulingGated
		var gates []string
		for _, gate := range pod.Spec.SchedulingGates {
			gates = append(gates, gate.Name)
		}
		s.evidence = []string{"scheduling gates: " + strings.Join(gates, ", ")}
		return s
	}
	if s.id = pendingCause(s.message); s.id == PersistentVolumeClaimNotFound {
		s.subject, s.why = named(s.message, `persistentvolumeclaim "`, `" not found`), ""
	}
	if s.id == PersistentVolumeClaimUnbound {
		d.provided(pod, &s)
	}
	if lacksNode(s.id) && d.besideOld(s.message) {
		s.flags = oldFirst
		s.evidence = append(s.evidence, "an old pod may be in its way: with "+oldFirst+" each old pod goes before the new one comes")
	}
	if lacksNode(s.id) {
		// Old pods that go make room. They also free host ports and end anti-affinity.
		s.since = latest(s.since, d.madeRoom())
	}
	d.awaitsNode(pod, &s)
	return s
}

// awaitsNode gives a pod more time if a node is about to have room for it, or may be.
func (d *diagnosis) awaitsNode(pod *corev1.Pod, s *signal) {
	// An autoscaler that adds nodes emits an event.
	scaling := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "TriggeredScaleUp" || e.Reason == "Nominated" })
	switch {
	case scaling != nil && s.id != PersistentVolumeClaimNotFound:
		s.evidence = append(s.evidence, scaling.Message)
		s.grace, s.why = max(d.Deadline, recent), "a node is being added"
	case pod.Status.NominatedNodeName != "" && lacksNode(s.id):
		s.grace, s.why = max(d.Deadline, recent), "pods of a lower priority are ending on node "+pod.Status.NominatedNodeName
	case scaling == nil && d.Blind && lacksNode(s.id):
		s.grace, s.why = max(d.Deadline, recent), "whether a node is being added only events tell, which cannot be read"
	}
}

// oldFirst are the flags with which no new pod needs a place beside an old one.
const oldFirst = "--max-surge 0 --max-unavailable 1"

// besideOld reports whether a pod of a Deployment finds no node because of an old pod. Anti-affinity keeps them apart, the old
// pod uses the host port, or its claim allows only one pod at a time.
func (d *diagnosis) besideOld(message string) bool {
	old := slices.ContainsFunc(d.Others, func(pod *corev1.Pod) bool {
		return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
	})
	return d.Deployment != nil && old && slices.ContainsFunc([]string{"anti-affinity rules", "free ports", "ReadWriteOncePod"},
		func(words string) bool { return strings.Contains(message, words) })
}

// lacksNode reports whether another node, or room on one, would help.
func lacksNode(id string) bool {
	return id == InsufficientResources || id == Unschedulable || id == NodesUnsuitable
}

// pendingCause finds the cause in the scheduler's message: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had
// untolerated taint(s). preemption: ...". If there are several reasons, none of them is the cause.
func pendingCause(message string) string {
	switch {
	case named(message, `persistentvolumeclaim "`, `" not found`) != "":
		return PersistentVolumeClaimNotFound
	case strings.Contains(message, "unbound immediate PersistentVolumeClaims"):
		return PersistentVolumeClaimUnbound
	}
	_, reasons, found := strings.Cut(message, "nodes are available: ")
	if !found {
		return Unschedulable
	}
	reasons, _, _ = strings.Cut(reasons, " preemption:")
	reasons, _, _ = strings.Cut(reasons, " no new claims to deallocate")
	room, fit, other := false, false, false
	for reason := range strings.SplitSeq(strings.Trim(reasons, ". "), ", ") {
		switch {
		case strings.Contains(reason, "Insufficient ") || strings.Contains(reason, "Too many pods"):
			room = true
		case unsuitable(reason):
			fit = true
		default:
			other = true
		}
	}
	switch {
	case other || room && fit:
		return Unschedulable
	case room:
		return InsufficientResources
	}
	return NodesUnsuitable
}

// unsuitable reports whether more room would not help with a reason.
func unsuitable(reason string) bool {
	for _, words := range []string{
		"affinity", "untolerated taint", "unschedulable", "free ports", "topology spread", "didn't match", "didn't satisfy", "volume node",
		"ReadWriteOncePod",
	} {
		if strings.Contains(reason, words) {
			return true
		}
	}
	return false
}

// preparing explains why a pod's volumes are not mounted, or why its sandbox is missing. Only events tell.
func (d *diagnosis) preparing(pod *corev1.Pod) []signal {
	if Begun(d.events[pod.UID]) {
		return nil // these events come later
	}
	for i := range pod.Status.ContainerStatuses {
		if status := &pod.Status.ContainerStatuses[i]; status.State.Running != nil || lastEnd(status) != nil {
			return nil
		}
	}
	var found *trouble
	for _, t := range d.troubles(pod) {
		if d.lasts(pod, t) && (found == nil || rank(&t.signal) >= rank(&found.signal)) {
			found = t
		}
	}
	if found == nil {
		return nil
	}
	found.attempt = attempt{last: found.last, next: backOff(found.since, mountBackOff)}
	switch found.id {
	case FailedAttachVolume:
		found.since, found.next = latest(found.since, latest(d.drained(), d.report.Room)), nil
	case FailedCreatePodSandBox:
		found.next = within(kubeletSync)
	}
	return []signal{found.signal}
}

// trouble is what one or more events report about a volume or the sandbox.
type trouble struct {
	signal
	// last is when the trouble was last reported. late is how much later the API server got the event. A busy node's events
	// come late, and its clock may differ.
	last time.Time
	late time.Duration
}

// troubles returns what events report about volumes and the sandbox. It joins events of the same trouble, since their texts may
// differ with every attempt.
func (d *diagnosis) troubles(pod *corev1.Pod) []*trouble {
	var all []*trouble
	for _, event := range d.events[pod.UID] {
		s := volume(pod, event)
		if s == nil {
			continue
		}
		t := &trouble{signal: *s, last: latest(event.LastTimestamp.Time, s.since)}
		if made := event.CreationTimestamp; !made.IsZero() {
			t.late = made.Sub(s.since)
		}
		if i := slices.IndexFunc(all, func(o *trouble) bool { return o.id == t.id && o.subject == t.subject }); i >= 0 {
			t.join(all[i])
			all[i] = t
		} else {
			all = append(all, t)
		}
	}
	return all
}

// join adds an earlier report of the same trouble.
func (t *trouble) join(o *trouble) {
	if rank(&o.signal) > rank(&t.signal) || rank(&o.signal) == rank(&t.signal) && o.last.After(t.last) {
		t.message = o.message
	}
	if o.since.Before(t.since) {
		t.since = o.since
	}
	t.last, t.late = latest(t.last, o.last), max(t.late, o.late)
}

// rarelyReported is how long a kubelet reports every attempt for a pod. After 25 events it reports one in five minutes, and a pod
// without a sandbox may have two with each attempt.
const rarelyReported = time.Minute

// lacksSandbox reports whether the kubelet says that the pod has no sandbox yet. Older kubelets do not say.
func lacksSandbox(pod *corev1.Pod) bool {
	ready := condition(pod, corev1.PodReadyToStartContainers)
	return ready != nil && ready.Status == corev1.ConditionFalse
}

// lasts reports whether trouble has not passed. Mounts are retried after as long as they have failed so far, and sandboxes
// every few seconds. Trouble that was not reported for longer than that has passed. For a volume that is not attached, attempts
// are not reported, but success is.
func (d *diagnosis) lasts(pod *corev1.Pod, t *trouble) bool {
	if t.id == FailedAttachVolume {
		attached := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "SuccessfulAttachVolume" })
		return attached == nil || !attached.LastTimestamp.After(t.last)
	}
	again := max(t.last.Sub(t.since), 0)
	if t.id == FailedCreatePodSandBox && again >= rarelyReported && lacksSandbox(pod) {
		return true
	}
	if strings.HasPrefix(t.message, unmounted) {
		again = max(again, waitsForVolumes)
	}
	return !d.Now.After(t.last.Add(again + t.late + d.cause(t.id).Grace/2))
}

// volume returns what an event reports about a volume or the sandbox, or nil if it is about something else.
func volume(pod *corev1.Pod, event *corev1.Event) *signal {
	s := &signal{id: event.Reason, reason: event.Reason, message: event.Message, since: began(event)}
	switch event.Reason {
	case "FailedMount", "FailedMapVolume":
		if strings.Contains(event.Message, "failed to sync") {
			return nil // the object is not fetched yet
		}
		s.id = FailedMount
		missing(pod, s, named(event.Message, `volume "`, `"`))
	case "FailedAttachVolume":
	case "FailedCreatePodSandBox":
	default:
		return nil
	}
	return s
}

// rank orders reports by how much they explain. A missing object or key comes first, then the affected volume, then any other
// failure.
func rank(s *signal) int {
	switch {
	case s.subject != "":
		return 3
	case s.id == FailedAttachVolume || strings.HasPrefix(s.message, "MountVolume"):
		return 2
	case strings.HasPrefix(s.message, unmounted):
		return 0
	}
	return 1
}

// latest returns the later of two times.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
