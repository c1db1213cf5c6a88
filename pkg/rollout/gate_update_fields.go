package rollout

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func (updateGate) state(s *Snapshot, decode decodeFunc) (State, *Record, error) {
	return openUpdate(s.Workload, decode)
}

func (updateGate) holds(w workload.Object, r *Record) bool { return r.Update.holds(w) }

// moves returns nothing for a StatefulSet whose pods the partition has released already: they are still replaced.
func (updateGate) moves(_ workload.Object, state State) string {
	if state == RollingBack {
		return "the old version is returning by itself; abort sees to it that it is complete"
	}
	if state == Disturbed {
		return "somebody has changed its update strategy, and its controller goes on by itself; abort goes back"
	}
	return ""
}

func (updateGate) opened(w workload.Object, r *Record, a move) (*Record, error) {
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
		return nil, fmt.Errorf("%T is no opening of a %s", to, workload.ResourceOf(w))
	}
	record.Step, record.HoldUntil, record.Update = a.step, a.until, &changed
	return &record, nil
}

func (updateGate) hold(p *patch, w workload.Object, r *Record) {
	if !r.Update.holds(w) {
		r.Update.hold(p, w)
	}
}

func (updateGate) reclaimed(w workload.Object, r *Record) string {
	if r.Update.holds(w) {
		return ""
	}
	return "the update strategy was changed" + strategyWriter(w, r) + " to " + updateStrategyText(w) +
		"; what holds the step is back, and theirs comes into force when the rollout ends"
}

func (updateGate) left(_ *patch, _ *Snapshot, r *Record, _ bool) *Record { return r }

func (updateGate) giveBack(p *patch, w workload.Object, r *Record, state State, outcome Outcome) (handover, error) {
	var err error
	switch update := r.Update; state {
	case RollingBack:
		err = update.restore(p, w)
	case Open:
		if outcome == RolledBack {
			update = update.back(p)
		}
		err = update.giveBack(p, w, nil)
	case Idle, Disturbed: // the strategy is not the rollout's
	}
	return handover{record: r}, err
}

// part leaves a workload its strategy, which others have set.
func (updateGate) part(_ *patch, _ workload.Object, r *Record, _ State) (handover, error) { //nolint:unparam // of the interface
	return handover{record: r}, nil
}

// goBack may borrow a limit that is narrower than the workload's own, and a lower partition, until the old version is complete.
// A strategy that others have set stays as it is.
func (updateGate) goBack(p *patch, s *Snapshot, r *Record, state State, altered bool) (handover, error) {
	back := *r
	switch {
	case state == RollingBack:
		return handover{record: &back, open: true}, nil // the workload already has the strategy of the way back
	case !r.Update.holds(s.Workload):
		return handover{record: &back}, nil
	case s.numbers == nil:
		return handover{}, errors.New("the workload's revisions are not known")
	}
	update := r.Update.back(p)
	back.Update = update
	paced := update.Paced && !altered
	if s.hasLeftKept(r) && !altered {
		update.Returning = ptr.To[int32](0)
	}
	limit := &back.Plan.Limits.Unavailable
	if !paced {
		limit = nil
	}
	back.RollingBack = paced || update.Returning != nil
	return handover{record: &back, open: back.RollingBack}, update.giveBack(p, s.Workload, limit)
}

func (updateGate) borrows(w workload.Object, r *Record) bool { return r.Update.borrows(w) }

func (updateGate) end(s *Snapshot, to goal, m memory) (action, memory) { return endUpdate(s, to, m) }

func (updateGate) awaits(workload.Object) *corev1.PodTemplateSpec { return nil }

func (updateGate) wentBack(s *Snapshot, r *Record) action { return foreignRevision(s, r) }

// disturbed leaves the decision to interrupted, which knows whether the strategy can be reclaimed.
func (updateGate) disturbed(_ workload.Object, _ bool, now time.Time) action {
	return await{until: now}
}

func (updateGate) reclaims() bool { return true }

func (updateGate) runs(s *Snapshot, to *Revision) bool {
	return s.Newest == nil || s.Newest.Name == to.ControllerRevision
}
