package rollout

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// decideOtherEnd decides what to do once the controller drives by itself again.
func decideOtherEnd(s *Snapshot, state State, record *Record, outcome Outcome, finding *Finding, now time.Time) action {
	counts, c := PodCountsOf(s.Workload), completionOf(s.Workload, s.Pods, now)
	switch phase := c.phase; {
	case !s.StaleSince.IsZero() || s.Newest == nil:
		return await{}
	case state == Open:
		return stop{outcome: Overtaken, message: "another rollout was started before this one had ended"}
	case !s.isAwaited(record, outcome):
		return stop{outcome: Overtaken, message: "the pod template was changed" + lastWriter(s.Workload) + " before the awaited one was complete"}
	case phase == OnDelete && counts.Updated < counts.Total:
		return stop{outcome: Overtaken, message: fmt.Sprintf("its strategy is OnDelete by now%s: %d pods of another version are replaced when "+
			"somebody deletes them", lastWriter(s.Workload), counts.Total-counts.Updated)}
	case phase == Complete || phase == Partitioned || phase == OnDelete:
		return s.completed(phase, state, record, outcome)
	}
	if blocking := s.blocking(now); outcome == RolledBack && len(blocking) > 0 {
		return unblock{pods: blocking}
	}
	if finding != nil {
		return stop{outcome: Failed, finding: finding}
	}
	return await{until: c.wake}
}

// completed ends a rollout whose pods are all as they should be.
func (s *Snapshot) completed(phase Phase, state State, record *Record, outcome Outcome) action {
	if state != Idle {
		return finish{outcome: outcome}
	}
	if outcome == RolledBack && phase == Partitioned && s.hasLeftKept(record) {
		return stop{outcome: Overtaken, message: "its partition" + lastWriter(s.Workload) + " keeps pods at the version that was given up"}
	}
	return stop{outcome: outcome, message: ofNothing(s.Workload, outcome)}
}

// isAwaited reports whether the newest revision is the one that the rollout ends with.
func (s *Snapshot) isAwaited(record *Record, outcome Outcome) bool {
	return s.Newest.Revision == record.ToRevision || outcome == RolledBack && s.Newest.Name == record.From.ControllerRevision
}

// blocking returns the pods that a StatefulSet waits for in vain on its way back.
func (s *Snapshot) blocking(now time.Time) []*corev1.Pod {
	set, is := s.Workload.(*appsv1.StatefulSet)
	if !is {
		return nil
	}
	found, _ := obstacles(set, s.Pods, now)
	return slices.DeleteFunc(found, func(pod *corev1.Pod) bool { return s.deleted[pod.UID] })
}
