package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

const (
	// RetryAfter is the pause after a write that the API server could not accept.
	RetryAfter = time.Second
	// conflictPause is the first pause after a write that conflicted with somebody else's. It doubles up to retryAfter.
	conflictPause = 10 * time.Millisecond
)

// ConflictTries is how often a write is computed anew because the object has changed meanwhile. That is common: while a
// workload is rolled out, the controllers keep writing its status.
const ConflictTries = 10

// PauseForConflict waits before a conflicting write is computed anew. It waits longer with every try, so that writers
// of the same object do not keep each other from it.
func PauseForConflict(ctx context.Context, c clock.Clock, try int) error {
	return Pause(ctx, c, AfterConflicts(try))
}

// AfterConflicts returns the pause after this number of conflicts in a row.
func AfterConflicts(count int) time.Duration {
	return min(conflictPause<<min(max(count-1, 0), 10), RetryAfter)
}

// AfterRefusal returns the pause after a write that the API server could not accept. The server may ask for a longer
// one.
func AfterRefusal(err error) time.Duration {
	if seconds, asked := apierrors.SuggestsClientDelay(err); asked {
		return max(time.Duration(seconds)*time.Second, RetryAfter)
	}
	return RetryAfter
}

// Pause waits for a time, or until the context ends.
func Pause(ctx context.Context, c clock.Clock, d time.Duration) error {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C():
		return nil
	}
}
