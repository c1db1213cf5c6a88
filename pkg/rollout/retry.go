package rollout

import (
	"context"
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// retryAfter is the pause after a write that the API server could not take.
const retryAfter = time.Second

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

// lacksRight tells of an error whether it is for a right that is missing: what policies and webhooks deny is forbidden, too.
func lacksRight(verb string, err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot "+verb+" resource ")
}

// refusals are the writes in a row that the API server did not take.
type refusals struct {
	since time.Time
	count int
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
func (s *session) pause(ctx context.Context, d time.Duration) error {
	timer := s.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C():
		return nil
	}
}
