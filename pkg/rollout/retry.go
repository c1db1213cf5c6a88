package rollout

import (
	"context"
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

const (
	// retryAfter is the pause after a write that the API server could not accept.
	retryAfter = time.Second
	// conflictPause is the first pause after a write that conflicted with somebody else's. It doubles up to retryAfter.
	conflictPause = 10 * time.Millisecond
	// freeConflicts is how many conflicts in a row need no further pause, since controllers write while they work.
	freeConflicts = 3
)

// PauseForConflict waits before a conflicting write is computed anew. It waits longer with every try, so that writers
// of the same object do not keep each other from it.
func PauseForConflict(ctx context.Context, c clock.Clock, try int) error {
	return pause(ctx, c, afterConflicts(try))
}

// afterConflicts returns the pause after this number of conflicts in a row.
func afterConflicts(count int) time.Duration {
	return min(conflictPause<<min(max(count-1, 0), 10), retryAfter)
}

// afterRefusal returns the pause after a write that the API server could not accept. The server may ask for a longer
// one.
func afterRefusal(err error) time.Duration {
	if seconds, asked := apierrors.SuggestsClientDelay(err); asked {
		return max(time.Duration(seconds)*time.Second, retryAfter)
	}
	return retryAfter
}

// unansweredError is the error of a request that did not reach the API server, or whose answer did not come back.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

// answered wraps the error of a request without an answer in an unansweredError. Nothing is known about the effect of
// such a request, in contrast to a refused one.
func answered(err error) error {
	var status apierrors.APIStatus
	if err == nil || errors.As(err, &status) {
		return err
	}
	return &unansweredError{err}
}

// isTransient reports whether the API server may accept the same request later.
func isTransient(err error) bool {
	var unanswered *unansweredError
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return errors.As(err, &unanswered)
	}
	return apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsTimeout(err) || status.Status().Code >= 500
}

// IsCredentialError reports whether a request was not made because the program that provides credentials failed.
// client-go reports that in words only (plugin/pkg/client/auth/exec).
func IsCredentialError(err error) bool {
	return err != nil && strings.Contains(err.Error(), "getting credentials: ")
}

// lacksRight reports whether an error is about a missing right. The status Forbidden is not enough: policies and
// webhooks use it as well.
func lacksRight(verb string, err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot "+verb+" resource ")
}

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
	if err := s.sleep(ctx, s.Clock.Now().Add(retryAfter/10)); err != nil || s.conflicts.count < freeConflicts {
		return err
	}
	return s.pause(ctx, afterConflicts(s.conflicts.count-freeConflicts+1))
}

// refusedWrite counts a refused write, and emits a message about the second in a row. The first may be a hiccup, or the
// effect of a lost connection that the watches are about to report.
func (s *session) refusedWrite(err error) {
	if s.refusals.count++; s.refusals.count == 1 {
		s.refusals.since = s.Clock.Now()
	}
	if s.refusals.count == 2 {
		event := s.told
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
// deadline is the limit. If a right is missing that was there before, the limit is deniedGrace.
func (s *session) triesAgain(err error, deadline *int32) bool {
	switch {
	case isTransient(err):
		return deadline == nil || *deadline == GateProgressDeadlineSeconds || s.refusedFor() < time.Duration(*deadline)*time.Second
	case lacksRight("get", err), lacksRight("list", err), lacksRight("patch", err), lacksRight("delete", err), apierrors.IsUnauthorized(err):
		return s.mayWrite && s.refusedFor() < deniedGrace
	}
	return false
}

// pause waits for a time, whatever changes meanwhile.
func (s *session) pause(ctx context.Context, d time.Duration) error { return pause(ctx, s.Clock, d) }

func pause(ctx context.Context, c clock.Clock, d time.Duration) error {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C():
		return nil
	}
}
