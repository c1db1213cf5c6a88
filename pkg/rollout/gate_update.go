package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// updateGate is what the gates of StatefulSets and DaemonSets have in common. Their controllers replace a pod in its place, and
// the rollout borrows the update strategy.
type updateGate struct{}

func (updateGate) limits(w Workload, l Limits) (Resolved, error) {
	unavailable, err := l.unavailableOf(w)
	return Resolved{Unavailable: unavailable}, err
}

func (updateGate) deadline(*Record) *int32 { return nil }

func (updateGate) minReadySeconds(w Workload, _ *Record) int32 { return minReadySecondsOf(w) }

// interrupted responds to an update strategy that others wrote over the one that holds the rollout. A strategy that is at
// least as narrow, or of another type, stays and ends the rollout.
func (updateGate) interrupted(s *Snapshot, record *Record, m memory) (action, memory) {
	u := record.Update
	if u.holds(s.Workload) {
		m.inForce = true
		return nil, m
	}
	theirs := updateStrategyText(s.Workload)
	if !m.inForce || !u.takes(s.Workload) {
		return part{"the update strategy that holds the rollout at its step was changed" + strategyWriter(s.Workload, record) +
			" to " + theirs + "; the controller goes on by itself"}, m
	}
	var often bool
	m.rewrites, often = m.rewrites.with(u.Reclaimed, theirs)
	back := move{step: record.Step, to: u.opening(), until: record.HoldUntil}
	if !often {
		return back, m
	}
	return standBack{back, insists(s.Workload, record, len(m.rewrites.values), theirs, "updateStrategy") +
		"; what holds the step is back once more, and nobody drives the rollout on"}, m
}

// opening returns the opening that the rollout has written last.
func (u *Update) opening() opening {
	if u.Partition != nil {
		return partition(*u.Partition)
	}
	return wave(u.Wave)
}

func (updateGate) collides(s *Snapshot, record *Record) *Finding {
	if s.Newest == nil || s.Newest.Revision != record.ToRevision {
		return nil
	}
	return revisionCollides(s.Workload, s.Newest)
}

// foreign ends the rollout if the template is the old version's, and otherwise stops it.
func (updateGate) foreign(s *Snapshot, record *Record) action { return foreignRevision(s, record) }

func (updateGate) scaled(*Snapshot) bool { return true }

func (updateGate) rewritten(_ *step, m memory) (action, memory) { return nil, m }

func (updateGate) judge(st *step, m memory) (memory, *Finding) {
	view := &View{Workload: st.record.Update.ownStrategy(st.Workload), Phase: Progressing, State: Open, Record: st.record}
	m = st.judgePods(view, m, st.now)
	if view.Finding != nil {
		return m, view.Finding
	}
	return m, st.lost(m, suspectsOf(st.Workload, nil))
}

// judgePods adds to a view of a StatefulSet or DaemonSet what its pods do.
func (s *Snapshot) judgePods(v *View, m memory, now time.Time) memory {
	pods := slices.Concat(s.Pods, s.Gone)
	in := inputOfOthers(v.Workload, pods, now)
	in.Events, in.Blind, in.Claims, in.NoClaims = s.Events, s.Deaf, s.Claims, s.NoClaims
	m.recall(in)
	report := diagnose.Diagnose(in)
	s.report = &report
	m, relapse := m.after(&report).follow(ownPods(v.Workload, pods), updatedPod(v.Workload, pods), suspectsOf(v.Workload, &report), now)
	v.failed(relapse)
	v.failed(report.Fatal())
	cannotDelete := slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.ID == diagnose.FailedDelete })
	if v.Finding == nil && !cannotDelete {
		s.mends = v.heldUp(pods, now)
	}
	s.obstacle = v.Obstacle.Text
	return m
}

func (updateGate) rest(*step) opening { return nil }

func (updateGate) opened(w Workload, r *Record, a move) (*Record, error) {
	record, update := *r.driven(), r.Update
	if !update.holds(w) {
		var err error
		if update, err = update.taking(w); err != nil {
			return nil, err
		}
	}
	changed := *update
	switch to := a.to.(type) {
	case partition:
		changed.Partition = (*int32)(&to)
	case wave:
		changed.Wave = to
	default:
		return nil, fmt.Errorf("%T is no opening of a %s", to, kindOf(w))
	}
	record.Step, record.HoldUntil, record.Update = a.step, a.until, &changed
	return &record, nil
}

func (updateGate) hold(p *patch, w Workload, r *Record) {
	if !r.Update.holds(w) {
		r.Update.hold(p, w)
	}
}

func (updateGate) reclaimed(w Workload, r *Record) string {
	if r.Update.holds(w) {
		return ""
	}
	return "the update strategy was changed" + strategyWriter(w, r) + " to " + updateStrategyText(w) +
		"; what holds the step is back, and theirs comes into force when the rollout ends"
}

// foreignRevision responds to a template that is not the rollout's. The old version's template ends the rollout, and
// any other one stops it.
func foreignRevision(s *Snapshot, record *Record) action {
	switch {
	case s.Newest.Name == record.From.ControllerRevision && (record.Update.Paced || s.hasLeftKept(record)):
		return goBack{why: setBack(s.Workload, record)} // the way back keeps the limits that were asked for, and includes all pods
	case s.Newest.Name == record.From.ControllerRevision:
		return finish{outcome: RolledBack, why: setBack(s.Workload, record)}
	}
	return stop{outcome: Overtaken, message: fmt.Sprintf("the pod template was changed%s during the rollout, to revision %d where revision %d was under way",
		lastWriter(s.Workload), s.Newest.Revision, record.ToRevision)}
}
