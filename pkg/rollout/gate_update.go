package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// updateGate is what the gates of StatefulSets and DaemonSets have in common. Their controllers replace a pod in its place, and
// the rollout borrows the update strategy.
type updateGate struct{}

func (updateGate) limits(w workload.Object, l plan.Limits) (plan.Resolved, error) {
	unavailable, err := l.UnavailableOf(w)
	return plan.Resolved{Unavailable: unavailable}, err
}

func (updateGate) deadline(*Record) *int32 { return nil }

func (updateGate) minReadySeconds(w workload.Object, _ *Record) int32 {
	return workload.MinReadySecondsOf(w)
}

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

func (updateGate) settled(s *Snapshot) bool {
	counts := workload.PodCountsOf(s.Workload)
	return s.Newest != nil && counts.Total == counts.Desired
}

func (updateGate) preview(w workload.Object, r *Record) ([]plan.StepPreview, error) {
	unavailable, err := r.Plan.Limits.UnavailableOf(w)
	return previewUpdate(r.Plan, stepped(w, r.Update), workload.PodCountsOf(w).Desired, unavailable), err
}

func (updateGate) rewritten(_ *step, m memory) (action, memory) { return nil, m }

func (updateGate) judge(st *step, m memory) (memory, *Finding) {
	view := &View{Workload: st.record.Update.ownStrategy(st.Workload), Phase: workload.Progressing, State: Open, Record: st.record}
	m = st.judgePods(view, m, st.now)
	if view.Finding != nil {
		return m, view.Finding
	}
	return m, st.lost(m, podFindingsOf(st.Workload, nil))
}

// judgePods adds to a view of a StatefulSet or DaemonSet what its pods do.
func (s *Snapshot) judgePods(v *View, m memory, now time.Time) memory {
	pods := slices.Concat(s.Pods, s.Gone)
	in := inputOfUpdate(v.Workload, pods, now)
	in.Events, in.Blind, in.Claims, in.NoClaims = s.Events, s.Deaf, s.Claims, s.NoClaims
	m.recall(in)
	report := diagnose.Diagnose(in)
	s.report = &report
	m, relapse := m.after(&report).follow(ownPods(v.Workload, pods), workload.UpdatedPod(v.Workload, pods), podFindingsOf(v.Workload, &report), now)
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

// keepOpening returns the first action of a step. If the limits let no further pod go yet, only the step changes, and the opening
// stays.
func (st *step) keepOpening(first action) action {
	if _, waits := first.(await); waits {
		return move{step: st.record.Step, to: st.record.Update.opening()}
	}
	return first
}
