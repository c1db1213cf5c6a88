package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// gatherChanges is how long changes may gather before they are looked at: many come at once, and to look at each would
	// take the processor from those who make the pods. Nobody notices so short a time.
	gatherChanges = 10 * time.Millisecond
	// resizeTimeout is how long the ReplicaSets may take to report that they have followed their size.
	resizeTimeout = 2 * time.Second
	// tellTimeout bounds what is read for the report before the old version returns. It cannot be read after that: the pods
	// go, and their logs with them.
	tellTimeout = 3 * time.Second
)

// act does what was decided. It returns a result when the session's work has ended.
func (s *session) act(ctx context.Context, snapshot *Snapshot, next action) *Result {
	switch a := next.(type) {
	case await:
		if err := s.sleep(ctx, a.until); err != nil {
			return s.interrupted(err)
		}
		return nil
	case stop:
		return s.stopped(ctx, snapshot, a)
	}
	return s.afterWrite(ctx, s.perform(ctx, snapshot.Deployment, next), s.deadline(snapshot))
}

// perform makes the write that was decided, if any.
func (s *session) perform(ctx context.Context, d *appsv1.Deployment, next action) error {
	switch a := next.(type) {
	case setGate:
		return s.setGate(ctx, d, a)
	case leaveGate:
		return s.leaveGate(ctx, d)
	case adopt:
		return s.adopt(ctx, d, a)
	case finish:
		return s.finish(ctx, d, a.outcome)
	case goBack:
		telling, cancel := context.WithTimeout(ctx, tellTimeout)
		s.tell(telling, a.finding)
		cancel()
		return s.goBack(ctx, d)
	}
	return nil
}

// afterWrite sorts out a write that failed: what others changed is looked at anew, what the API server could not take
// is tried again, and everything else ends the session.
func (s *session) afterWrite(ctx context.Context, err error, deadline *int32) *Result {
	var lost *lostVersionError
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) != nil:
		return s.interrupted(context.Cause(ctx))
	case apierrors.IsNotFound(err):
		return s.result(Deleted, "the Deployment was deleted")
	case apierrors.IsConflict(err):
		// The watch is about to bring what we conflicted with.
		err = s.sleep(ctx, s.Clock.Now().Add(retryAfter/10))
	case errors.As(err, &lost):
		return s.result(Failed, lost.Error())
	case s.triesAgain(err, deadline):
		s.refusedWrite(err)
		err = s.pause(ctx, retryAfter)
	default:
		return s.result(Failed, err.Error())
	}
	if err != nil {
		return s.interrupted(err)
	}
	return nil
}

// stopped is the result of a session that stops by decision.
func (s *session) stopped(ctx context.Context, snapshot *Snapshot, a stop) *Result {
	if a.finding != nil {
		s.tell(ctx, a.finding)
	}
	if s.phase == ending && (a.outcome == Done || a.outcome == RolledBack || s.state == Idle) {
		s.state = Idle
		s.tidy(ctx, snapshot)
	}
	return s.result(a.outcome, a.message)
}

// tell emits a finding once, with what is read only for that: events, and the last lines of the container's log.
func (s *session) tell(ctx context.Context, finding *Finding) {
	if finding == nil || finding == s.finding {
		return
	}
	if s.blamed != nil && s.blamed.ID == finding.ID && s.blamed.Pod == finding.Pod {
		return // the same again, after a write that has to be repeated
	}
	s.blamed = finding
	s.finding = s.enrich(ctx, finding)
	s.emit(FindingEvent{Finding: s.finding})
}

func (s *session) setGate(ctx context.Context, d *appsv1.Deployment, a setGate) error {
	record, before := *s.record, s.record.Step
	record.Step = a.step
	p := newGatePatch(d)
	p.settings(gated(a.gate.Strategy(replicasOf(d), record.Plan.Limits)))
	if err := p.record(&record); err != nil {
		return err
	}
	if err := s.write(ctx, p); err != nil {
		return err
	}
	s.record = &record // an interruption right after the write tells the step at which the rollout stands now
	if a.step == before {
		return nil
	}
	replicas := replicasOf(d)
	s.meter.stepDone(before, record.Plan.Steps.Target(before-1, replicas), s.Clock.Now())
	s.emit(StepEvent{Step: a.step, Of: len(record.Plan.Steps), Target: record.Target(replicas)})
	return nil
}

// leaveGate gives the Deployment its own strategy and minReadySeconds back. The rollout stays open: it can still fail and
// go back.
func (s *session) leaveGate(ctx context.Context, d *appsv1.Deployment) error {
	record := *s.record
	record.Ungated = true
	settings := record.Wanted()
	settings.ProgressDeadlineSeconds = new(int32(GateProgressDeadlineSeconds))
	p := newGatePatch(d)
	p.settings(settings)
	if err := p.record(&record); err != nil {
		return err
	}
	if err := s.write(ctx, p); err != nil {
		return err
	}
	s.record = &record
	return nil
}

// finish gives the Deployment back: its own settings, and no annotation.
func (s *session) finish(ctx context.Context, d *appsv1.Deployment, outcome Outcome) error {
	settings := s.record.Wanted()
	if outcome == RolledBack {
		settings = s.record.Original
	}
	p := newGatePatch(d)
	p.settings(settings.keeping(d))
	p.withoutRecord()
	if err := s.write(ctx, p); err != nil {
		return err
	}
	if s.phase == stepping && outcome == Done {
		s.meter.stepDone(s.record.Step, s.record.Target(replicasOf(d)), s.Clock.Now())
	}
	s.end(outcome, &s.written.Spec.Template)
	return nil
}

// lostVersionError tells that the ReplicaSet of the old version was deleted, and with it the way back.
type lostVersionError struct{ from Revision }

func (e *lostVersionError) Error() string {
	return fmt.Sprintf("ReplicaSet %q with the old version (revision %d) is gone", e.from.ReplicaSet, e.from.Number)
}

// goBack returns to the old version in one write. Where the rollout's limits are not the Deployment's own they stay in
// place until the old version is complete.
func (s *session) goBack(ctx context.Context, d *appsv1.Deployment) error {
	from := s.record.From
	object, err := getRaw(ctx, s.Client, "replicasets", s.key.Namespace, from.ReplicaSet)
	if apierrors.IsNotFound(err) {
		return &lostVersionError{from}
	}
	if err != nil {
		return explainOn(ctx, "get", "replicaset", types.NamespacedName{Namespace: s.key.Namespace, Name: from.ReplicaSet}, err)
	}
	template, err := templateOf(object)
	if err != nil {
		return err
	}
	if err := s.returningTo(ctx, d, template); err != nil {
		return err
	}
	p, settings := newGatePatch(d), s.record.Original
	p.template(template)
	p.annotate(ChangeCauseAnnotation, object.GetAnnotations()[ChangeCauseAnnotation])
	if s.record.ownLimits() {
		p.withoutRecord()
	} else {
		record := *s.record
		record.RollingBack = true
		if err := p.record(&record); err != nil {
			return err
		}
		limits := record.Plan.Limits
		settings.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: &limits.Surge, MaxUnavailable: &limits.Unavailable}
	}
	p.settings(settings.keeping(d))
	if err := s.write(ctx, p); err != nil {
		return err
	}
	s.emit(RollbackEvent{Revision: from.Number})
	s.end(RolledBack, &s.written.Spec.Template)
	return nil
}
