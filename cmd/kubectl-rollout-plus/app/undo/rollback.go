package undo

import (
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
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
		return "", cli.Overtaken(cli.ObjectNamed(kind.Kind, r.Live()))
	case errors.As(err, &unsupported):
		return "", cli.More(unsupported.Err, "; "+cli.OnlyWorkloads)
	case errors.As(err, &refused):
		return "", RefusedRollback(refused.Err, cli.ObjectNamed(kind.Kind, object), r.Live(), r.Skipped())
	}
	return done, err
}

// RefusedRollback adds to kubectl's refusal the object's name and what to do next. live is the object as it was read, or nil.
func RefusedRollback(err error, object printers.Object, live workload.Object, skipped []int64) error {
	if d, is := live.(*appsv1.Deployment); is && d.Spec.Paused {
		return cli.Unsaid(err, object, cli.CommandOn("resume", object)+" resumes it")
	}
	if text := rollout.Skipped(skipped); text != "" {
		return cli.Unsaid(err, object, text)
	}
	return cli.Unsaid(err, object, cli.ListsRevisions(object))
}

// tellRollback prints from which revision to which a rollback goes, and which revisions it skips.
func tellRollback(env *cli.Env, r *rollback.Rollback, name string) {
	if skipped := rollout.Skipped(r.Skipped()); skipped != "" {
		env.Tell("%s: %s", name, skipped)
	}
	if way := r.Way(name); way != "" {
		env.Tell("%s", way)
	}
}
