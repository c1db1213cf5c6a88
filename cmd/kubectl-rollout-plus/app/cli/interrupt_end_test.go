package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// Whatever a library makes of the end of a context, the exit code says what ended it.
func TestEndedBy(t *testing.T) {
	t.Parallel()
	interrupted, interrupt := context.WithCancelCause(t.Context())
	interrupt(&InterruptError{})
	timedOut, cancel := context.WithTimeoutCause(t.Context(), 0, rollout.ErrTimeout)
	defer cancel()
	done, end := context.WithTimeoutCause(t.Context(), time.Hour, rollout.ErrTimeout)
	end()
	for name, test := range map[string]struct {
		ctx, limited context.Context
		err          error
		want         int
	}{
		"no error":                   {ctx: interrupted, want: ExitError},
		"an error of its own":        {ctx: interrupted, err: errors.New("no such deployment"), want: ExitError},
		"a request cut off":          {ctx: interrupted, err: fmt.Errorf("cannot list: %w", context.Canceled), want: ExitInterrupt},
		"only its text":              {ctx: interrupted, err: errors.New("reading the body: context canceled"), want: ExitInterrupt},
		"the timeout":                {ctx: t.Context(), limited: timedOut, err: errors.New("Get: context deadline exceeded"), want: ExitTimeout},
		"the timeout, foreseen":      {ctx: t.Context(), limited: done, err: errors.New("Wait(n=1) would exceed context deadline"), want: ExitTimeout},
		"another time limit":         {ctx: t.Context(), err: errors.New("Get: context deadline exceeded"), want: ExitError},
		"another, with time left":    {ctx: t.Context(), limited: done, err: errors.New("Get: context deadline exceeded"), want: ExitError},
		"a code that is known":       {ctx: interrupted, err: &Exit{Code: ExitStanding, Err: context.Canceled}, want: ExitStanding},
		"a write without an answer":  {ctx: interrupted, err: &rollout.UncertainError{Err: context.Canceled}, want: ExitStanding},
		"before any command has run": {err: context.Canceled, want: ExitError},
	} {
		env := &Env{limited: test.limited != nil}
		if ctx := cmp.Or(test.limited, test.ctx); ctx != nil {
			env.cause = func() error { return context.Cause(ctx) }
		}
		if err := env.endedBy(test.err); CodeOf(err) != test.want || (err == nil) != (test.err == nil) {
			t.Errorf("%s: exit code %d for %v", name, CodeOf(err), err)
		}
	}
}
