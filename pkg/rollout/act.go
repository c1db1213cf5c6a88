package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// gatherChanges is how long changes gather before the session looks at them. Many come at once, and looking at each would
	// take processor time from those who make the pods. Nobody notices so short a time.
	gatherChanges = 10 * time.Millisecond
	// resizeTimeout is how long the ReplicaSets may take to report that they have followed their size.
	resizeTimeout = 2 * time.Second
	// tellTimeout bounds the reads for the report before the old version returns. Later reads are impossible: the pods are
	// deleted, and their logs with them.
	tellTimeout = 3 * time.Second
)

// act carries out the decided action. It returns a result if the session's work has ended, or nil if it goes on.
func (s *session) act(ctx context.Context, snapshot *Snapshot, next action) *Result {
	switch a := next.(type) {
	case await:
		d := snapshot.deployment()
		err := s.sleepAlive(ctx, d, !snapshot.StaleSince.IsZero(), a.until, func(ctx context.Context, record *Record) error {
			return s.writeRecord(ctx, d, newGatePatch(d), record)
		})
		if err != nil {
			return s.interrupted(ctx, err)
		}
		return nil
	case stop:
		return s.stopped(ctx, snapshot, a)
	}
	err := s.perform(ctx, snapshot.deployment(), next)
	if altered := (*AlteredError)(nil); errors.As(err, &altered) {
		return s.afterAltered(altered, isGated(s.written))
	}
	return s.afterWrite(ctx, err, s.deadline(snapshot))
}

// perform makes the write of the decided action, if the action has one.
func (s *session) perform(ctx context.Context, d *appsv1.Deployment, next action) error {
	switch a := next.(type) {
	case move:
		return s.move(ctx, d, a)
	case noteHold:
		return s.noteHold(ctx, d, a)
	case adopt:
		return s.adopt(ctx, d, a)
	case standBack:
		if err := s.move(ctx, d, a.move); err != nil {
			return err
		}
		s.parted = &stop{outcome: Overtaken, message: a.message}
	case finish:
		s.why = cmp.Or(a.why, s.why)
		return s.finish(ctx, d, a.outcome)
	case part:
		return s.part(ctx, d, a)
	case goBack:
		s.tellLeaving(ctx, a.finding)
		failed := a.finding != nil || s.record.hasFailed()
		if err := s.goBack(ctx, d); err != nil || !failed {
			return err
		}
		s.markFailedReplicaSet(ctx)
	}
	return nil
}

// afterWrite handles the error of a write. It returns nil if the session goes on. After a conflict the session looks at the
// workload anew, and it repeats a write that the API server could not take. Any other error ends the session.
func (s *session) afterWrite(ctx context.Context, err error, deadline *int32) *Result {
	var lost *lostVersionError
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) != nil:
		return s.interrupted(ctx, context.Cause(ctx))
	case apierrors.IsNotFound(err):
		return s.result(Deleted, "the "+s.kind+" was deleted")
	case apierrors.IsConflict(err):
		err = s.conflicted(ctx)
	case errors.As(err, &lost):
		return s.result(Failed, lost.Error())
	case s.triesAgain(err, deadline):
		s.refusedWrite(err)
		err = s.pause(ctx, afterRefusal(err))
	default:
		return s.result(Failed, err.Error())
	}
	if err != nil {
		return s.interrupted(ctx, err)
	}
	return nil
}

// stopped emits the finding, if any, and returns the result of a session that stops by decision.
func (s *session) stopped(ctx context.Context, snapshot *Snapshot, a stop) *Result {
	if a.finding != nil {
		s.tell(ctx, a.finding, false)
	}
	if a.outcome != Paused {
		s.rest(ctx, snapshot, a.outcome, a.finding)
	}
	if s.phase == ending && (a.outcome == Done || a.outcome == RolledBack || s.state == Idle) {
		s.state = Idle
		s.tidy(ctx, snapshot)
	}
	return s.result(a.outcome, a.message)
}

// tellLeaving emits why the rollout goes back, with as much as can be read within tellTimeout.
func (s *session) tellLeaving(ctx context.Context, finding *Finding) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	s.tell(ctx, finding, true)
}

// tell emits a finding once. It first reads what is worth reading only then: events, and the last lines of the container's log.
// With leaves set, the rollout goes back because of the finding. The pods are gone a moment later, so the remedies must not
// need them.
func (s *session) tell(ctx context.Context, finding *Finding, leaves bool) {
	if finding == nil || finding == s.finding {
		return
	}
	if s.blamed != nil && s.blamed.ID == finding.ID && s.blamed.Pod == finding.Pod {
		return // the same finding, after a write that has to be repeated
	}
	s.blamed = finding
	s.finding = s.enrich(ctx, finding)
	if leaves {
		s.finding.Leave(s.record.ToRevision)
	}
	s.emit(FindingEvent{Finding: s.finding})
}

// move moves the gate, and the record with it.
func (s *session) move(ctx context.Context, d *appsv1.Deployment, a move) error {
	g, before := gateOf(d), s.record
	record, err := g.opened(d, before, a)
	if err != nil {
		return err
	}
	if err := s.borrow(ctx, d, record); err != nil {
		return err
	}
	if text := g.reclaimed(d, before); text != "" {
		s.emit(ProgressEvent{Message: text})
	}
	s.record = record // an interruption right after the write reports the new step
	if record.Step == before.Step {
		return nil
	}
	replicas := g.size(d, record)
	s.meter.stepDone(before.Step, before.Target(replicas), s.Clock.Now())
	s.emit(StepEvent{Step: record.Step, Of: len(record.Plan.Steps), Target: record.Target(replicas)})
	return nil
}

// borrow writes a record together with the settings that are in force under it.
func (s *session) borrow(ctx context.Context, d *appsv1.Deployment, record *Record) error {
	signed, err := s.signed(record, d)
	if err != nil {
		return err
	}
	p := newGatePatch(d)
	p.settings(record.inForce(d))
	if err := p.record(signed); err != nil {
		return err
	}
	return s.write(ctx, p)
}

// giveBack restores the Deployment's own settings and ends the rollout's record. The outcome RolledBack restores the original
// settings, any other outcome the wanted ones.
func (s *session) giveBack(ctx context.Context, d *appsv1.Deployment, outcome Outcome) error {
	record := s.record.taking(d)
	settings := record.Wanted()
	if outcome == RolledBack {
		settings = record.Original
	}
	p := newGatePatch(d)
	p.settings(settings)
	if err := s.withoutRecord(p, record, d, outcome, settings.unset()...); err != nil {
		return err
	}
	return s.writeLast(ctx, p)
}

// finish restores the settings. The session then waits for the controller to complete the pod template.
func (s *session) finish(ctx context.Context, d *appsv1.Deployment, outcome Outcome) error {
	if err := s.giveBack(ctx, d, outcome); err != nil {
		return err
	}
	if s.phase == stepping && outcome == Done {
		s.meter.stepDone(s.record.Step, s.record.Target(replicasOf(d)), s.Clock.Now())
	}
	s.end(outcome, &s.written.Spec.Template)
	return nil
}

// part restores the Deployment's own strategy after others have opened the gate. The session then stops and says so. If the
// others left the gate's deadline in place, the rollout stays known by it: abort can still go back, and resume can restore the
// deadline. Otherwise part restores all settings.
func (s *session) part(ctx context.Context, d *appsv1.Deployment, a part) error {
	parted := &stop{outcome: Overtaken, message: a.message}
	if s.state != Disturbed || !hasGateDeadline(d) {
		if err := s.giveBack(ctx, d, Overtaken); err != nil {
			return err
		}
		s.phase, s.parted = ending, parted
		return nil
	}
	record, err := s.signed(s.record.taking(d), d)
	if err != nil {
		return err
	}
	p := newGatePatch(d)
	record.Gate = nil
	p.set("/spec/strategy", record.Wanted().Strategy)
	if err := p.record(record); err != nil {
		return err
	}
	if err := s.write(ctx, p); err != nil {
		return err
	}
	s.parted = parted
	return nil
}

// lostVersionError reports that the ReplicaSet of the old version was deleted. Without it there is no way back.
type lostVersionError struct{ from Revision }

func (e *lostVersionError) Error() string {
	return fmt.Sprintf("%s with the old version (revision %d) is gone", e.from, e.from.Number)
}

// goBack returns to the old version in one write. If the rollout's limits are not the Deployment's own, they stay in place
// until the old version is complete.
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
	p, record := newGatePatch(d), s.record.taking(d)
	if s.altered != nil {
		record = new(*s.record) // values that a policy has set are nobody's wish for this Deployment
	}
	p.template(template)
	p.annotate(ChangeCauseAnnotation, object.GetAnnotations()[ChangeCauseAnnotation])
	if s.Annotations != nil {
		for key, value := range s.Annotations(d.Annotations, template) {
			p.annotate(key, value)
		}
	}
	if record.ownLimits() || s.altered != nil {
		p.settings(record.Original)
		err = s.withoutRecord(p, record, d, RolledBack, record.Original.unset()...)
	} else if record, err = s.signed(record, d); err == nil {
		record.RollingBack = true
		p.settings(record.inForce(d))
		err = p.record(record)
	}
	if err != nil {
		return err
	}
	if err := s.writeLast(ctx, p); err != nil {
		return err
	}
	s.emit(RollbackEvent{Revision: from.Number, Images: imagesOf(template)})
	s.end(RolledBack, &s.written.Spec.Template)
	return nil
}
