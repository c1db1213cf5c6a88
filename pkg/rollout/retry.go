package rollout

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// freeConflicts is how many conflicts in a row need no further pause, since controllers write while they work.
const freeConflicts = 3

// refusals counts the writes in a row that the API server did not accept.
type refusals struct {
	since time.Time
	count int
}

// conflicts counts the writes in a row that conflicted with somebody else's.
type conflicts struct {
	since time.Time
	count int
}

// conflicted waits for the change that the last write conflicted with, which the watch is about to deliver. If
// conflicts continue, the pauses grow.
func (s *session) conflicted(ctx context.Context) error {
	if s.conflicts.count++; s.conflicts.count == 1 {
		s.conflicts.since = s.Clock.Now()
	}
	if err := s.sleep(ctx, s.Clock.Now().Add(kube.RetryAfter/10)); err != nil || s.conflicts.count < freeConflicts {
		return err
	}
	return s.pause(ctx, kube.AfterConflicts(s.conflicts.count-freeConflicts+1))
}

// refusedWrite counts a refused write, and emits a message about the second in a row. The first may be a hiccup, or the
// effect of a lost connection that the watches are about to report.
func (s *session) refusedWrite(err error) {
	if s.refusals.count++; s.refusals.count == 1 {
		s.refusals.since = s.Clock.Now()
	}
	if s.refusals.count == 2 {
		event := s.lastProgress
		event.Message = err.Error() + "; it is tried again"
		s.emit(event)
	}
}

// refusedFor returns for how long writes have been failing.
func (s *session) refusedFor() time.Duration {
	if s.refusals.count == 0 {
		return 0
	}
	return s.Clock.Now().Sub(s.refusals.since)
}

// triesAgain reports whether to repeat a write that failed. If the API server could not accept it, the Deployment's own
// deadline is the limit. If a right is missing that was there before, the limit is informer.DeniedGrace.
func (s *session) triesAgain(err error, deadline *int32) bool {
	switch {
	case kube.IsTransient(err):
		return deadline == nil || *deadline == GateProgressDeadlineSeconds || s.refusedFor() < time.Duration(*deadline)*time.Second
	case kube.LacksRight("get", err), kube.LacksRight("list", err), kube.LacksRight("patch", err), kube.LacksRight("delete", err),
		apierrors.IsUnauthorized(err):
		return s.mayWrite && s.refusedFor() < informer.DeniedGrace
	}
	return false
}

// pause waits for a time, whatever changes meanwhile.
func (s *session) pause(ctx context.Context, d time.Duration) error {
	return kube.Pause(ctx, s.Clock, d)
}
