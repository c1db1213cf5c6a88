package rollout

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ErrTimeout is the cause of a context that ended because the command's own timeout passed.
var ErrTimeout = errors.New("timed out waiting for the condition")

// interrupted returns the result of a session whose context ended. Nothing is undone: the rollout stays where it is.
func (s *session) interrupted(ctx context.Context, cause error) *Result {
	outcome, message := Detached, cause.Error()
	if errors.Is(cause, ErrTimeout) || errors.Is(cause, context.DeadlineExceeded) {
		outcome, message = TimedOut, ErrTimeout.Error()
	}
	snapshot := s.snapshot()
	s.rest(ctx, &snapshot, outcome, nil)
	result := s.result(outcome, message)
	if outcome == TimedOut {
		result.Hindrance = s.hindrance
	}
	return result
}

// failed returns the result of a session that cannot go on. The rollout stays where it is.
func (s *session) failed(ctx context.Context, message string) *Result {
	snapshot := s.snapshot()
	s.rest(ctx, &snapshot, Failed, nil)
	return s.result(Failed, message)
}

func (s *session) result(outcome Outcome, message string) *Result {
	snapshot := s.snapshot()
	if outcome == RolledBack && message == "" {
		message = s.why
	}
	result := &Result{
		Outcome: outcome, Message: message, Finding: s.finding,
		Standing: s.state != Idle && outcome != Deleted, Record: s.record, Availability: s.meter.read(s.Clock.Now()),
	}
	if outcome == Done && message != "" {
		result.Message, result.Notes = "", []string{message}
	}
	switch {
	case s.known.newest != nil:
		result.Revision = s.known.newest.Revision
	case snapshot.Workload != nil:
		result.Revision = workload.RevisionOf(snapshot.Workload)
	}
	if s.phase == ending && !result.Standing && outcome != Overtaken {
		result.Towards = s.outcome
	}
	return s.withTerminating(result)
}

// explain turns an API error into a sentence that names the Deployment. If a right is missing, it names the right.
func explain(ctx context.Context, verb string, key types.NamespacedName, err error) error {
	return explainOn(ctx, verb, "deployment", key, err)
}

// explainOn is explain for an object of any kind.
func explainOn(ctx context.Context, verb, kind string, key types.NamespacedName, err error) error {
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case kube.LacksRight(verb, err):
		return fmt.Errorf("the right to %s %ss in namespace %q is missing: %w", verb, kind, key.Namespace, err)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no %s %q in namespace %q; %s lists those there are: %w", kind, key.Name, key.Namespace,
			command.Lists(kind, key.Namespace), err)
	}
	return fmt.Errorf("cannot %s %s %q in namespace %q: %w", verb, kind, key.Name, key.Namespace, err)
}
