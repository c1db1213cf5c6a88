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
	// retryAfter is the pause after a write that the API server could not take.
	retryAfter = time.Second
	// conflictPause is the first pause after a write that somebody else came before. It doubles up to retryAfter.
	conflictPause = 10 * time.Millisecond
	// freeConflicts are so few in a row that they need no further pause: controllers write while they work.
	freeConflicts = 3
)

// PauseForConflict waits before a write is computed anew because the object has changed meanwhile. It waits longer with every
// try, so that those who write the same object do not keep one another from it.
func PauseForConflict(ctx context.Context, c clock.Clock, try int) error {
	return pause(ctx, c, afterConflicts(try))
}

// afterConflicts returns the pause after so many conflicts in a row.
func afterConflicts(count int) time.Duration {
	return min(conflictPause<<min(max(count-1, 0), 10), retryAfter)
}

// afterRefusal returns the pause after a write that the API server could not take: as long as the server asks for.
func afterRefusal(err error) time.Duration {
	if seconds, asked := apierrors.SuggestsClientDelay(err); asked {
		return max(time.Duration(seconds)*time.Second, retryAfter)
	}
	return retryAfter
}

// unansweredError is a request that did not get to the API server, or whose answer did not come back.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

// answered tells a request without an answer, of which nothing is known, from one that was refused.
func answered(err error) error {
	var status apierrors.APIStatus
	if err == nil || errors.As(err, &status) {
		return err
	}
	return &unansweredError{err}
}

// isTransient tells whether the API server may take the same request later.
func isTransient(err error) bool {
	var unanswered *unansweredError
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return errors.As(err, &unanswered)
	}
	return apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsTimeout(err) || status.Status().Code >= 500
}

// IsCredentialError reports whether a request was not made since the program that gives credentials failed. client-go says so
// in words only (plugin/pkg/client/auth/exec).
func IsCredentialError(err error) bool {
	return err != nil && strings.Contains(err.Error(), "getting credentials: ")
}

// lacksRight tells of an error whether it is for a right that is missing: what policies and webhooks deny is forbidden, too.
func lacksRight(verb string, err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot "+verb+" resource ")
}

// refusals are the writes in a row that the API server did not take.
type refusals struct {
	since time.Time
	count int
}

// conflicts are the writes in a row that somebody else came before.
type conflicts struct {
	since time.Time
	count int
}

// conflicted waits for what the last write conflicted with, which the watch is about to bring. Where conflicts go on, the
// pauses grow.
func (s *session) conflicted(ctx context.Context) error {
	if s.conflicts.count++; s.conflicts.count == 1 {
		s.conflicts.since = s.Clock.Now()
	}
	if err := s.sleep(ctx, s.Clock.Now().Add(retryAfter/10)); err != nil || s.conflicts.count < freeConflicts {
		return err
	}
	return s.pause(ctx, afterConflicts(s.conflicts.count-freeConflicts+1))
}

// refusedWrite counts one more, and tells of it when it is the second: the first may be a hiccup, or come of a lost connection
// that the watches are about to tell of.
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

// refusedFor is for how long writes have been failing.
func (s *session) refusedFor() time.Duration {
	if s.refusals.count == 0 {
		return 0
	}
	return s.Clock.Now().Sub(s.refusals.since)
}

// triesAgain tells whether a write that failed may yet be made: within the Deployment's own deadline where the API server
// could not take it, and for a moment where the right is missing that was there before.
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
