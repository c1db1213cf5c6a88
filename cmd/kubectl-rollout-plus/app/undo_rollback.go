package app

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rollback"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// rollBack runs a rollback. It adds to an error which object it is about and what to do next.
func rollBack(ctx context.Context, r *rollback.Rollback, kind schema.GroupKind, object runtime.Object) (string, error) {
	done, err := r.Run(ctx, kind, object)
	var unsupported *rollback.UnsupportedError
	var refused *rollback.RefusedError
	switch {
	case errors.Is(err, rollback.ErrOvertaken):
		return "", overtaken(objectNamed(kind.Kind, r.Live()))
	case errors.As(err, &unsupported):
		return "", more(unsupported.Err, "; "+onlyWorkloads)
	case errors.As(err, &refused):
		return "", refusedRollback(refused.Err, objectNamed(kind.Kind, object), r.Live(), r.Skipped())
	}
	return done, err
}

// refusedRollback adds to kubectl's refusal the object's name and what to do next. live is the object as it was read, or nil.
func refusedRollback(err error, object printers.Object, live workload.Object, skipped []int64) error {
	if d, is := live.(*appsv1.Deployment); is && d.Spec.Paused {
		return unsaid(err, object, commandOn("resume", object)+" resumes it")
	}
	if text := rollout.Skipped(skipped); text != "" {
		return unsaid(err, object, text)
	}
	return unsaid(err, object, listsRevisions(object))
}

// overtaken returns the error for an object that somebody else has changed meanwhile. If that was a rollback too, a second
// one would bring back the broken version.
func overtaken(object printers.Object) error {
	return fmt.Errorf("%s in namespace %q was not rolled back: somebody else has changed its pod template meanwhile; "+
		"%s shows what it is now, and --to-revision goes to a revision whatever that is", object, object.Namespace, commandOn("history", object))
}

// tellRollback prints from which revision to which a rollback goes, and which revisions it skips.
func tellRollback(env *environment, r *rollback.Rollback, name string) {
	if skipped := rollout.Skipped(r.Skipped()); skipped != "" {
		env.tell("%s: %s", name, skipped)
	}
	if way := r.Way(name); way != "" {
		env.tell("%s", way)
	}
}
