package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// beginTimeout is how long the write that begins a rollout is repeated. Nothing has happened yet, so giving up costs nothing.
const beginTimeout = time.Minute

// beginning is the state of a rollout until its first write.
type beginning struct {
	*session
	change  Change
	options StartOptions
	// began is when the rollout began. It is fixed once, so that a repeated write is the same.
	began metav1.Time
	// seen is the workload as it was read last.
	seen workload.Object
	// tried is the rollout whose first write may have arrived. The API server did not answer, or its answer does not say what
	// became of the write. It is nil if there is none.
	tried *prepared
	// failure is the error of that write.
	failure error
}

// UncertainError reports that nobody knows whether a rollout has begun.
type UncertainError struct {
	// Kind is the workload's kind as people type it.
	Kind string
	Key  types.NamespacedName
	Err  error
}

// Unwrap returns the error that keeps it from being known.
func (e *UncertainError) Unwrap() error { return e.Err }

func (e *UncertainError) Error() string {
	return fmt.Sprintf("%v; 'kubectl rollout-plus status %s/%s -n %s' tells whether the rollout has begun", e.Err, e.Kind, e.Key.Name, e.Key.Namespace)
}

// Start begins a rollout and drives it to its end. An error means that nothing was begun, unless it is an UncertainError.
func (e *Engine) Start(ctx context.Context, kind string, key types.NamespacedName, change Change, options StartOptions) (*Result, error) {
	s, err := e.open(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	defer s.source.Close()
	s.memory.began = e.Clock.Now().Truncate(time.Second)
	change.leave(workload.TemplateOf(s.written))
	b := &beginning{session: s, change: change, options: options, began: inSeconds(e.Clock.Now())}
	for {
		result, err := b.try(ctx)
		switch {
		case err != nil:
			if err := b.again(ctx, err, b.tried != nil); err != nil {
				return nil, err
			}
		case result != nil:
			return result, nil
		default:
			return s.run(ctx), nil
		}
	}
}

// try begins the rollout. A result means that there is nothing to drive.
func (b *beginning) try(ctx context.Context) (*Result, error) {
	ready, err := b.prepare(ctx)
	switch {
	case b.isOwn(err):
		b.wrote(b.seen) // the watch may not have delivered the write yet
		b.begun(ctx, b.tried)
		return nil, nil
	case err != nil:
		return nil, err
	case b.refusedFor() >= beginTimeout:
		b.tried = nil // the workload shows that the rollout has not begun
		return nil, b.failure
	}
	if ready.record != nil {
		if err := b.CheckStart(ctx, ready.wanted.typed, ready.live.typed, b.options); err != nil {
			return nil, err
		}
	}
	b.options.SkipChecks = true // once is enough, however often the write has to be repeated
	if b.options.DryRun == DryRunNone {
		migrated, err := b.migrate(ctx, ready)
		switch {
		case err != nil:
			return nil, err
		case migrated:
			return b.try(ctx)
		}
	}
	result, err := b.begin(ctx, ready)
	if b.options.DryRun == DryRunNone && (kube.IsTransient(err) || err != nil && context.Cause(ctx) != nil) {
		b.tried, b.failure = ready, err
	}
	return result, err
}

// again waits until the rollout may be begun once more; tried says that its write was made. It returns the error to end with if
// the rollout may not be begun again. That is an UncertainError if the write was made.
func (s *session) again(ctx context.Context, err error, tried bool) error {
	var owned *ApplyConflictError
	switch {
	case context.Cause(ctx) != nil && tried:
		err = fmt.Errorf("%w before the API server had answered", context.Cause(ctx))
	case errors.As(err, &owned):
	case apierrors.IsConflict(err) && (s.conflicts.count == 0 || s.Clock.Since(s.conflicts.since) < beginTimeout):
		// Somebody else wrote first: look at what there is now.
		err = s.conflicted(ctx)
	case kube.IsTransient(err) && tried:
		s.refusedWrite(err)
		err = s.pause(ctx, kube.AfterRefusal(err))
	}
	if err != nil && tried {
		return &UncertainError{Kind: strings.ToLower(s.kind), Key: s.key, Err: err}
	}
	return err
}

// isOwn reports whether an error names the very rollout that was just tried as the one in the way. Then the write had arrived,
// and only its answer was lost.
func (b *beginning) isOwn(err error) bool {
	var open *OpenError
	if b.tried == nil || b.tried.record == nil || !errors.As(err, &open) {
		return false
	}
	mine, mineErr := b.tried.record.encode()
	theirs, theirsErr := open.Record.encode()
	return mineErr == nil && theirsErr == nil && mine == theirs
}
