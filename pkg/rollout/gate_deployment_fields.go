package rollout

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func (deploymentGate) state(s *Snapshot, decode decodeFunc) (State, *Record, error) {
	return openRollout(s.deployment(), s.ReplicaSets, decode)
}

func (deploymentGate) holds(w workload.Object, _ *Record) bool {
	d, is := w.(*appsv1.Deployment)
	return is && isGated(d)
}

func (g deploymentGate) moves(w workload.Object, state State) string {
	switch {
	case state == RollingBack:
		return "the old version is returning by itself; abort sees to it that it is complete"
	case state == Disturbed:
		return "somebody has changed the fields that hold it, and the Deployment controller goes on by itself; " +
			"resume gives the others of them back, abort goes back"
	case !g.holds(w, nil):
		return "the last step has nothing left to hold back, and the Deployment controller completes it by itself; abort goes back"
	}
	return ""
}

func (deploymentGate) opened(w workload.Object, r *Record, a move) (*Record, error) {
	d, is := w.(*appsv1.Deployment)
	if !is {
		return nil, fmt.Errorf("%T is no Deployment", w)
	}
	record := r.taking(d)
	record.Step, record.HoldUntil = a.step, a.until
	if width, gated := a.to.(Width); gated {
		record.opens(width.Strategy(workload.ReplicasOf(d), record.Plan.Limits))
	} else {
		record.Ungated = true
	}
	return record, nil
}

func (deploymentGate) hold(p *patch, w workload.Object, r *Record) {
	if d, is := w.(*appsv1.Deployment); is {
		p.settings(r.inForce(d))
	}
}

func (deploymentGate) reclaimed(w workload.Object, r *Record) string {
	d, is := w.(*appsv1.Deployment)
	if !is || !r.foreign(d) {
		return ""
	}
	return "the strategy was changed" + strategyWriter(w, r) + " to " + strategyText(d.Spec.Strategy) +
		"; the limits of the step are back, and it comes into force when the rollout ends"
}

// left closes the gate as far as the step allows, since others may set another template while nobody looks.
func (deploymentGate) left(p *patch, s *Snapshot, r *Record, narrower bool) *Record {
	d := s.deployment()
	record := r.taking(d)
	if width, lower := r.atRest(s); lower && narrower {
		record.opens(width.Strategy(workload.ReplicasOf(d), record.Plan.Limits))
		p.settings(record.inForce(d))
	}
	return record
}

// giveBack restores the original settings of a Deployment that goes back, and otherwise the wanted ones.
func (deploymentGate) giveBack(p *patch, w workload.Object, r *Record, _ State, outcome Outcome) (handover, error) {
	d, is := w.(*appsv1.Deployment)
	if !is {
		return handover{}, fmt.Errorf("%T is no Deployment", w)
	}
	record := r.taking(d)
	settings := record.Wanted()
	if outcome == RolledBack {
		settings = record.Original
	}
	p.settings(settings)
	return handover{record: record, removed: settings.unset()}, nil
}

// part restores the Deployment's own strategy after others have opened the gate. If they left the gate's deadline in place, the
// rollout stays known by it: abort can still go back, and resume can restore the deadline.
func (g deploymentGate) part(p *patch, w workload.Object, r *Record, state State) (handover, error) {
	d, is := w.(*appsv1.Deployment)
	if !is || state != Disturbed || !hasGateDeadline(d) {
		return g.giveBack(p, w, r, state, Overtaken)
	}
	record := r.taking(d)
	record.Gate = nil
	p.set("/spec/strategy", record.Wanted().Strategy)
	return handover{record: record, open: true}, nil
}

// goBack keeps limits that are not the Deployment's own until the old version is complete.
func (deploymentGate) goBack(p *patch, s *Snapshot, r *Record, _ State, altered bool) (handover, error) {
	d := s.deployment()
	record := r.taking(d)
	if altered {
		record = new(*r) // values that a policy has set are nobody's wish for this Deployment
	}
	if altered || record.ownLimits() {
		p.settings(record.Original)
		return handover{record: record, removed: record.Original.unset()}, nil
	}
	record.RollingBack = true
	p.settings(record.inForce(d))
	return handover{record: record, open: true}, nil
}

func (deploymentGate) borrows(workload.Object, *Record) bool { return false }

func (deploymentGate) end(s *Snapshot, to goal, m memory) (action, memory) {
	deadline := s.deployment().Spec.ProgressDeadlineSeconds
	if to.record != nil {
		deadline = to.record.Wanted().ProgressDeadlineSeconds
	}
	return decideEnd(s, to.state, to.outcome, deadline, m, to.now)
}

func (deploymentGate) awaits(w workload.Object) *corev1.PodTemplateSpec {
	return workload.TemplateOf(w)
}

func (deploymentGate) wentBack(*Snapshot, *Record) action { return finish{outcome: RolledBack} }

// disturbed gives a Deployment whose gate others have opened its other fields back.
func (deploymentGate) disturbed(w workload.Object, resumes bool, _ time.Time) action {
	if resumes {
		return finish{outcome: Done}
	}
	return part{"the fields that hold the rollout at its step were changed" + lastWriter(w) +
		"; the strategy is the Deployment's own again, and its controller goes on by itself"}
}

func (deploymentGate) reclaims() bool { return false }

func (deploymentGate) runs(s *Snapshot, to *Revision) bool {
	for _, rs := range s.ReplicaSets {
		if rs.Name == to.ReplicaSet {
			return workload.SameTemplate(&rs.Spec.Template, workload.TemplateOf(s.Workload))
		}
	}
	return false // going back finds that the ReplicaSet is gone, and reports it
}
