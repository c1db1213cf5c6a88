package rollout

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// decide returns the next action for an open rollout.
func decide(g gate, s *Snapshot, record *Record, m memory, now time.Time) (action, memory) {
	m = m.enter(s.StaleSince, record.Step, now)
	if !s.StaleSince.IsZero() {
		return await{}, m
	}
	next, m := g.interrupted(s, record, m)
	version, collision := s.version(), g.collides(s, record)
	switch {
	case next != nil:
		return next, m
	case record.Held:
		return stop{outcome: Paused, message: "the rollout is held at its step"}, m
	case collision != nil:
		return goBack{finding: collision}, m // a hold would not help: the controller goes on making revisions
	case version == nil:
		return overdue(g, s, record, m, await{}, now), m
	case version.Number != record.ToRevision:
		return g.foreign(s, record), m
	}
	st, err := s.step(g, record, now)
	switch {
	case err != nil:
		return stop{outcome: Failed, message: err.Error()}, m
	case !g.scaled(s):
		return overdue(g, s, record, m, await{}, now), m
	}
	return st.decide(m.sized(st.replicas))
}

func (st *step) decide(m memory) (action, memory) {
	if next, m := st.gate.rewritten(st, m); next != nil {
		return next, m
	}
	if st.counts.NewReady > m.best {
		m.best, m.progressAt = st.counts.NewReady, later(m.progressAt, st.now) // in a hold, progressAt is when the hold ends
	}
	m, finding := st.gate.judge(st, m)
	switch {
	case finding != nil && st.record.Plan.OnFailure == plan.OnFailureHold:
		return stop{outcome: Failed, finding: finding}, m
	case finding != nil:
		return goBack{finding: finding}, m
	case st.gate.done(st, !m.heldSince.IsZero()):
		return st.next(m)
	}
	return st.gate.advance(st, m)
}

// next goes from a finished step to its hold, to the next step, or to the end.
func (st *step) next(m memory) (action, memory) {
	if st.replicas == 0 && m.heldSince.IsZero() {
		return m.emptied(st.Workload), m
	}
	if st.record.Plan.Hold.Duration > 0 {
		var next action
		if next, m = st.hold(m); next != nil {
			return next, m
		}
	}
	switch {
	case st.replicas == 0:
		return m.emptied(st.Workload), m
	case !st.record.Last():
		return st.gate.follow(st), m
	}
	var until time.Time
	if m, until = m.settlingOf(st.newPods(), st.now); st.now.Before(until) {
		return await{until: until}, m
	}
	m.reached = true
	return finish{outcome: Done}, m
}

// hold returns what is left to do before the hold of a finished step is over, or nil if it is over.
func (st *step) hold(m memory) (action, memory) {
	begins := m.heldSince.IsZero()
	m, end := m.hold(st.record.Plan.Hold.Duration, st.watched, st.now)
	if begins {
		m.progressAt = later(end, st.now) // no progress is due before the hold ends
	}
	until := inSeconds(end)
	if rest := st.gate.rest(st); rest != nil {
		return move{step: st.record.Step, to: rest, until: &until}, m
	}
	if !st.record.HoldUntil.Equal(&until) {
		return noteHold{until: until}, m
	}
	if st.now.Before(end) {
		return await{until: end}, m
	}
	return nil, m
}

// watched returns the restarts so far of the new pods that are ready. A new pod that is not ready has only just been made,
// because there are more replicas, and the watch has not brought its ReplicaSet yet. The step is not done then.
func (st *step) watched() map[types.UID]int32 { return restartsOf(st.Pods, st.isNew) }

// lost returns a finding about a new pod that restarted or lost its readiness during the hold, or nil if there is none.
func (st *step) lost(m memory, of podFindings) *Finding { return m.lost(st.newPods(), of, st.now) }

// interrupt ends a hold whose step is not complete any more, because replicas changed or a node was lost. The time to complete
// the step again begins now.
func (st *step) interrupt(m memory) memory {
	if !m.heldSince.IsZero() {
		m.best, m.progressAt = st.counts.NewReady, st.now
	}
	return m.unhold(st.now)
}

// newPods returns the pods of the newest version.
func (s *Snapshot) newPods() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range s.Pods {
		if s.isNew(pod) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// overdue returns the given wait, or the failure of a step without progress within the workload's own deadline.
func overdue(g gate, s *Snapshot, record *Record, m memory, otherwise await, now time.Time) action {
	deadline := g.deadline(record)
	if deadline == nil || *deadline == GateProgressDeadlineSeconds {
		return otherwise
	}
	due := m.progressAt.Add(time.Duration(*deadline) * time.Second)
	if now.Before(due) {
		return await{until: earlier(otherwise.until, due)}
	}
	finding := s.stalled(s.Current(), *deadline)
	if record.Plan.OnFailure == plan.OnFailureHold {
		return stop{outcome: Failed, finding: finding}
	}
	return goBack{finding: finding}
}

// restartsOf returns the restarts of each new pod that is ready.
func restartsOf(pods []*corev1.Pod, isNew func(*corev1.Pod) bool) map[types.UID]int32 {
	watched := map[types.UID]int32{}
	for _, pod := range pods {
		if ready, _ := workload.ReadySince(pod); ready && isNew(pod) {
			watched[pod.UID] = diagnose.Crashes(pod)
		}
	}
	return watched
}
