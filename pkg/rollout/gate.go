package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// gate holds a workload of one kind at a step of its rollout, and lets it go on. A gate is pure: it reads a snapshot and a
// record, and says what to do.
type gate interface {
	pacer
	holder
}

// pacer decides about the step under way.
type pacer interface {
	// size returns the number of pods that the steps apply to.
	size(w Workload, r *Record) int32
	// limits resolves a rollout's limits as the workload's controller does.
	limits(w Workload, l Limits) (Resolved, error)
	// deadline returns within how many seconds a step has to make progress, or nil if nothing bounds that.
	deadline(r *Record) *int32
	// minReadySeconds returns for how long a new pod has to be ready before it counts.
	minReadySeconds(w Workload, r *Record) int32
	// counted returns the pods that count for a step, and how many of the new ones may count as ready.
	counted(s *Snapshot) (pods []*corev1.Pod, most int32)

	// interrupted returns the action for a workload that stands still or goes on by itself, or nil if it is held at its step.
	interrupted(s *Snapshot, r *Record, m memory) (action, memory)
	// collides returns a finding if the controller does not find the revisions again that it makes.
	collides(s *Snapshot, r *Record) *Finding
	// foreign returns the action for a pod template that is not the rollout's.
	foreign(s *Snapshot, r *Record) action
	// scaled reports whether the controller has followed the present number of pods.
	scaled(s *Snapshot) bool
	// rewritten returns the action for a strategy that others wrote over the rollout's, or nil if nobody did.
	rewritten(st *step, m memory) (action, memory)
	// judge returns why the new version fails, or nil if it may still become ready.
	judge(st *step, m memory) (memory, *Finding)
	// done reports whether the step has all its new pods ready, and no more old pods than it should.
	done(st *step, held bool) bool
	// rest returns the opening at which a finished step is held. It is nil if the gate is no wider than that.
	rest(st *step) opening
	// advance returns the move that lets more pods go, or a wait if the limits allow none.
	advance(st *step, m memory) (action, memory)
	// follow returns the move from a finished step to the next one.
	follow(st *step) action
}

// holder knows the fields that a rollout borrows.
type holder interface {
	// opened returns the record after a move. It adopts what others have set in the borrowed fields.
	opened(w Workload, r *Record, a move) (*Record, error)
	// hold adds to a patch the fields that hold a workload as the record says.
	hold(p *patch, w Workload, r *Record)
	// reclaimed says who had changed the borrowed fields before a move, or returns "" if nobody had.
	reclaimed(w Workload, r *Record) string
}

// opening is how far a gate is open: the Width of a Deployment, the partition of a StatefulSet, or the wave of a DaemonSet.
type opening interface{ isOpening() }

// gateOf returns the gate of a workload.
func gateOf(w Workload) gate {
	switch w.(type) {
	case *appsv1.StatefulSet:
		return statefulSetGate{}
	case *appsv1.DaemonSet:
		return daemonSetGate{}
	}
	return deploymentGate{}
}

// step is what a decision about the step under way depends on.
type step struct {
	*Snapshot
	gate   gate
	record *Record
	limits Resolved
	// replicas is the number of pods that the steps apply to. target is how many of them are new after this step.
	replicas, target int32
	counts           Counts
	// wake is when more new pods count as ready, or zero if none waits for that.
	wake, now time.Time
}

// step returns the step that a record stands at.
func (s *Snapshot) step(g gate, record *Record, now time.Time) (*step, error) {
	limits, err := g.limits(s.Workload, record.Plan.Limits)
	if err != nil {
		return nil, err
	}
	replicas := g.size(s.Workload, record)
	st := &step{Snapshot: s, gate: g, record: record, limits: limits, replicas: replicas, target: record.Target(replicas), now: now}
	pods, most := g.counted(s)
	st.counts, st.wake = countPods(pods, s.isNew, g.minReadySeconds(s.Workload, record), now)
	st.counts.NewReady = min(st.counts.NewReady, most)
	return st, nil
}

// at returns the same moment at another step.
func (st *step) at(number int) *step {
	other, record := *st, *st.record
	record.Step = number
	other.record, other.target = &record, record.Target(st.replicas)
	return &other
}
