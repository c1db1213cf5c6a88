package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// mostReplaced is how many pods must end for the same reason before chance no longer explains it.
	mostReplaced = 3
	// leastGap and mostGap bound how long the next pod may take to end. Between them the limit is the time over which pods have
	// ended so far, since controllers back off by as much.
	leastGap = 10 * time.Second
	mostGap  = 2 * time.Minute
)

// Replaced holds the pods of the newest version that have ended, and that their controller replaces. Most are gone by the time
// that they are judged.
type Replaced map[types.UID]end

// end is how a pod ended.
type end struct {
	id, reason, message string
	pod, node           string
	at                  time.Time
	// status is the status of the container that ended, or nil if none has run.
	status *corev1.ContainerStatus
}

// endOf returns how a pod ended by its own doing or its node's. It reports false for a pod that has not ended or that was
// evicted, since eviction may be chance or somebody's decision.
func endOf(pod *corev1.Pod) (end, bool) {
	e := end{reason: pod.Status.Reason, message: pod.Status.Message, pod: pod.Name, node: pod.Spec.NodeName, at: pod.CreationTimestamp.Time}
	isFailed := pod.Status.Phase == corev1.PodFailed
	if !isFailed && pod.Status.Phase != corev1.PodSucceeded || disrupted(pod) != nil {
		return e, false
	}
	if e.status = lastToFail(pod); e.status != nil {
		e.at = latest(e.at, lastEnd(e.status).FinishedAt.Time)
	}
	isEvicted := failed(pod).id == PodEvicted
	switch {
	case isEvicted && strings.Contains(e.message, "exceed"): // its own limit of local storage
		e.id, e.status = PodEndsAgain, nil
	case isEvicted:
		return e, false
	case e.status != nil && pod.DeletionTimestamp == nil:
		e.id = PodEndsAgain
		if e.message == "" {
			e.message = "container " + e.status.Name + " " + ending(lastEnd(e.status), e.status.RestartCount)
		}
	case e.status == nil && isFailed:
		e.id = PodRejected
	default:
		return e, false // the pod was deleted
	}
	return e, true
}

// lastToFail returns the last container of a pod that has ended with an error. Without one, it returns the first container that
// has ended, or nil if none has run.
func lastToFail(pod *corev1.Pod) *corev1.ContainerStatus {
	var found *corev1.ContainerStatus
	for _, status := range ContainerStatuses(pod) {
		if last := lastEnd(&status); last != nil && (found == nil || last.ExitCode != 0) {
			found = &status
		}
	}
	return found
}

// rejections records pods that the kubelet rejected and that are gone, from its events. A StatefulSet's next pod has the same
// name.
func (d *diagnosis) rejections(known map[types.UID]bool) {
	for _, event := range d.Events {
		of := event.InvolvedObject
		isRejection := strings.HasPrefix(event.Reason, "OutOf") || slices.Contains([]string{
			"UnexpectedAdmissionError", "NodeAffinity", "NodeName", "NodePorts", "TopologyAffinityError", "SMTAlignmentError", "AppArmor",
			"SysctlForbidden", "PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch", "PodFeatureUnsupported", "InvalidNodeInfo",
		}, event.Reason)
		if of.Kind == "Pod" && isRejection && !known[of.UID] {
			d.report.Replaced[of.UID] = end{
				id: PodRejected, reason: event.Reason, message: event.Message, pod: of.Name, node: event.Source.Host, at: lastTold(event),
			}
		}
	}
}

// replaced returns the signals of pods that end again and again. It keeps these pods for the next report.
func (d *diagnosis) replaced() []signal {
	d.report.Replaced = Replaced{}
	for uid, e := range d.Replaced {
		d.report.Replaced[uid] = e
	}
	alive := map[types.UID]bool{}
	for _, pod := range d.Pods {
		alive[pod.UID] = true
		if e, has := endOf(pod); has {
			d.report.Replaced[pod.UID] = e
		}
	}
	d.rejections(alive)
	kinds := map[string][]end{}
	for _, e := range d.report.Replaced {
		kinds[e.id+e.reason] = append(kinds[e.id+e.reason], e)
	}
	var signals []signal
	for _, ends := range kinds {
		if s := d.again(ends); s != nil {
			signals = append(signals, *s)
		}
	}
	return signals
}

// again returns the signal of pods that ended alike, or nil if no further ones end.
func (d *diagnosis) again(ends []end) *signal {
	since := d.lastReady() // earlier ends do not count
	ends = slices.DeleteFunc(ends, func(e end) bool { return e.at.Before(since) })
	if len(ends) < mostReplaced {
		return nil
	}
	slices.SortFunc(ends, func(a, b end) int { return a.at.Compare(b.at) })
	first, last := ends[0], ends[len(ends)-1]
	gap := min(max(leastGap, last.at.Sub(first.at)), mostGap)
	if d.Now.Sub(last.at) > gap {
		return nil
	}
	d.wake(d.Now.Add(time.Second)) // nothing else shows whether it goes on
	var nodes []string
	for _, e := range ends {
		if !slices.Contains(nodes, e.node) {
			nodes = append(nodes, e.node)
		}
	}
	s := &signal{
		id: last.id, reason: last.reason, message: last.message, subject: last.reason, object: d.Workload, since: first.at,
		replaced: len(ends), example: last.pod, status: last.status,
	}
	if s.status != nil {
		s.container = s.status.Name
	}
	s.message += fmt.Sprintf("; %d pods have ended so in %s, on %s, and their controller makes others", len(ends),
		d.Now.Sub(first.at).Truncate(time.Second), nodesOf(nodes))
	return s
}

// Lingers reports whether old pods of a StatefulSet or DaemonSet are left although nothing else is under way. Only the
// workload's events show whether its controller tries to delete them.
func Lingers(in *Input) bool {
	if in.Deployment != nil || in.Missing > 0 || !slices.ContainsFunc(in.Others, isLeft) {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(in.Pods, in.Others), func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
}

// undeleted explains why old pods are not deleted.
func (d *diagnosis) undeleted() []signal {
	for _, rs := range d.OldSets {
		for i := range rs.Status.Conditions {
			c := &rs.Status.Conditions[i]
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue && c.Reason == FailedDelete {
				return []signal{{
					id: FailedDelete, reason: c.Reason, message: c.Message, since: c.LastTransitionTime.Time,
					uid: rs.UID, object: Object{"ReplicaSet", rs.Name},
				}}
			}
		}
	}
	if !Lingers(d.Input) {
		return nil
	}
	events := d.events[d.UID]
	failed, deleted := newest(events, FailedDelete), newest(events, "SuccessfulDelete")
	if failed == nil || deleted != nil && isLater(deleted, failed) || d.Now.Sub(lastTold(failed)) > recent {
		return nil
	}
	since := began(failed)
	if deleted != nil {
		since = latest(since, deleted.LastTimestamp.Time)
	}
	return []signal{{
		id: FailedDelete, reason: failed.Reason, message: failed.Message, since: since, uid: d.UID, object: d.Workload,
		evidence: []string{"tried last at " + clock(lastTold(failed).Truncate(time.Second))},
	}}
}
