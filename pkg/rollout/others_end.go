package rollout

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// decideOtherEnd decides what to do once the controller drives by itself again.
func decideOtherEnd(o *other, state State, record *Record, outcome Outcome, finding *Finding, now time.Time) action {
	counts, c := PodCountsOf(o.workload), completionOf(o.workload, o.pods, now)
	switch phase := c.phase; {
	case !o.staleSince.IsZero() || o.newest == nil:
		return await{}
	case state == Open:
		return stop{outcome: Overtaken, message: "another rollout was started before this one had ended"}
	case !o.isAwaited(record, outcome):
		return stop{outcome: Overtaken, message: "the pod template was changed" + lastWriter(o.workload) + " before the awaited one was complete"}
	case phase == OnDelete && counts.Updated < counts.Total:
		return stop{outcome: Overtaken, message: fmt.Sprintf("its strategy is OnDelete by now%s: %d pods of another version are replaced when "+
			"somebody deletes them", lastWriter(o.workload), counts.Total-counts.Updated)}
	case phase == Complete || phase == Partitioned || phase == OnDelete:
		return o.completed(phase, state, record, outcome)
	}
	if blocking := o.blocking(now); outcome == RolledBack && len(blocking) > 0 {
		return unblock{pods: blocking}
	}
	if finding != nil {
		return stop{outcome: Failed, finding: finding}
	}
	return await{until: c.wake}
}

// completed ends a rollout whose pods are all as they should be.
func (o *other) completed(phase Phase, state State, record *Record, outcome Outcome) action {
	if state != Idle {
		return finish{outcome: outcome}
	}
	if outcome == RolledBack && phase == Partitioned && o.hasLeftKept(record) {
		return stop{outcome: Overtaken, message: "its partition" + lastWriter(o.workload) + " keeps pods at the version that was given up"}
	}
	return stop{outcome: outcome, message: ofNothing(o.workload, outcome)}
}

// isAwaited reports whether the newest revision is the one that the rollout ends with.
func (o *other) isAwaited(record *Record, outcome Outcome) bool {
	return o.newest.Revision == record.ToRevision || outcome == RolledBack && o.newest.Name == record.From.ControllerRevision
}

// blocking returns the pods that a StatefulSet waits for in vain on its way back.
func (o *other) blocking(now time.Time) []*corev1.Pod {
	set, is := o.workload.(*appsv1.StatefulSet)
	if !is {
		return nil
	}
	found, _ := obstacles(set, o.pods, now)
	return slices.DeleteFunc(found, func(pod *corev1.Pod) bool { return o.deleted[pod.UID] })
}
