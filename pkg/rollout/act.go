package rollout

import (
	"cmp"
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
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
	w := snapshot.Workload
	switch a := next.(type) {
	case await:
		err := s.sleepAlive(ctx, w, !snapshot.StaleSince.IsZero(), a.until, func(ctx context.Context, record *Record) error {
			return s.writeRecord(ctx, w, newGatePatch(w), record)
		})
		if err != nil {
			return s.interrupted(ctx, err)
		}
		return nil
	case stop:
		return s.stopped(ctx, snapshot, a)
	}
	err := s.perform(ctx, snapshot, next)
	if altered := (*admission.AlteredError)(nil); errors.As(err, &altered) {
		return s.afterAltered(ctx, altered, gateOf(w).holds(s.written, s.record))
	}
	return s.afterWrite(ctx, err, s.deadline(snapshot))
}

// perform makes the write of the decided action, if the action has one.
func (s *session) perform(ctx context.Context, snapshot *Snapshot, next action) error {
	w := snapshot.Workload
	switch a := next.(type) {
	case move:
		return s.move(ctx, w, a)
	case standBack:
		if err := s.move(ctx, w, a.move); err != nil {
			return err
		}
		s.parted = &stop{outcome: Overtaken, message: a.message}
	case noteHold:
		return s.noteHold(ctx, w, a)
	case replace:
		return s.deletePods(ctx, w, a.pods)
	case unblock:
		return s.unblock(ctx, w, a)
	case adopt:
		return s.adopt(ctx, w, a)
	case finish:
		s.why = cmp.Or(a.why, s.why)
		return s.finish(ctx, w, a.outcome)
	case part:
		return s.part(ctx, w, a)
	case goBack:
		s.tellLeaving(ctx, a.finding)
		s.why = cmp.Or(a.why, s.why)
		failed := a.finding != nil || s.record.hasFailed()
		if err := s.goBack(ctx, snapshot); err != nil || !failed {
			return err
		}
		s.markFailed(ctx, snapshot)
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
		return s.failed(ctx, lost.Error())
	case s.triesAgain(err, deadline):
		s.refusedWrite(err)
		err = s.pause(ctx, kube.AfterRefusal(err))
	default:
		return s.failed(ctx, err.Error())
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
	} else {
		s.returned(ctx, snapshot.Workload)
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
	if s.rawFinding != nil && s.rawFinding.ID == finding.ID && s.rawFinding.Pod == finding.Pod {
		return // the same finding, after a write that has to be repeated
	}
	s.rawFinding = finding
	s.finding = s.enrich(ctx, finding)
	if leaves {
		s.finding.Leave(s.record.ToRevision)
	}
	s.emit(FindingEvent{Finding: s.finding})
}
