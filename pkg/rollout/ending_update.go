package rollout

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// endUpdate decides what to do once the controller of a StatefulSet or DaemonSet drives by itself again.
func endUpdate(s *Snapshot, to goal, m memory) (action, memory) {
	counts, c := workload.PodCountsOf(s.Workload), completionOf(s.Workload, s.Pods, to.now)
	var finding *Finding
	if s.StaleSince.IsZero() && s.Newest != nil {
		m, finding = s.judgeEnd(to, m)
	}
	switch phase := c.phase; {
	case !s.StaleSince.IsZero() || s.Newest == nil:
		return await{}, m
	case to.state == Open:
		return stop{outcome: Overtaken, message: "another rollout was started before this one had ended"}, m
	case !s.isAwaited(to.record, to.outcome):
		return stop{outcome: Overtaken, message: "the pod template was changed" + lastWriter(s.Workload) + " before the awaited one was complete"}, m
	case phase == workload.OnDelete && counts.Updated < counts.Total:
		return stop{outcome: Overtaken, message: fmt.Sprintf("its strategy is OnDelete by now%s: %d pods of another version are replaced when "+
			"somebody deletes them", lastWriter(s.Workload), counts.Total-counts.Updated)}, m
	case phase == workload.Complete || phase == workload.Partitioned || phase == workload.OnDelete:
		return s.completed(phase, to.state, to.record, to.outcome), m
	}
	if blocking := s.blocking(to.now); to.outcome == RolledBack && len(blocking) > 0 {
		return unblock{pods: blocking}, m
	}
	if finding != nil {
		return stop{outcome: Failed, finding: finding}, m
	}
	return await{until: c.wake}, m
}

// judgeEnd returns why a version that the controller completes by itself fails, or nil.
func (s *Snapshot) judgeEnd(to goal, m memory) (memory, *Finding) {
	if finding := revisionCollides(s.Workload, s.Newest); finding != nil {
		return m, finding
	}
	view := &View{Workload: s.Workload, Phase: workload.Progressing, State: to.state}
	m = s.judgePods(view, m, to.now)
	return m, view.Finding
}

// completed ends a rollout whose pods are all as they should be.
func (s *Snapshot) completed(phase workload.Phase, state State, record *Record, outcome Outcome) action {
	if state != Idle {
		return finish{outcome: outcome}
	}
	if outcome == RolledBack && phase == workload.Partitioned && s.hasLeftKept(record) {
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
