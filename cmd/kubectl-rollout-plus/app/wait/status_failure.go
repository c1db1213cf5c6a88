package wait

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// refused adds what is known about the object to an error of kubectl's.
func (t *statusTarget) refused(ctx context.Context, err error) error {
	view := t.view
	switch d, _ := view.Workload.(*appsv1.Deployment); {
	case view.Phase == workload.OnDelete:
		counts := workload.PodCountsOf(view.Workload)
		return fmt.Errorf("%w: %s; %s tells how they are", err, onDelete(t.object.String(), counts), cli.CommandOn("explain", t.object))
	case recreates(view.Workload):
		return cli.Unsaid(err, t.object, "it has strategy Recreate, and "+cli.CommandOn("explain", t.object)+" tells how its pods are")
	case d != nil && view.Phase == workload.PhaseFailed && d.Spec.ProgressDeadlineSeconds != nil &&
		(t.Revision == 0 || t.Revision == workload.RevisionOf(d)):
		cause := fmt.Sprintf("no progress for %d s (progressDeadlineSeconds)", *d.Spec.ProgressDeadlineSeconds)
		if view.Finding != nil {
			cause = view.Finding.String()
		}
		return &cli.Exit{Code: cli.ExitStanding, Err: fmt.Errorf("%w: %s%s", err, cause, t.wayBack(ctx))}
	}
	return cli.Unsaid(err, t.object, cli.ListsRevisions(t.object))
}

// failure returns the error of a rollout that will not succeed by itself.
func (t *statusTarget) failure(ctx context.Context) error {
	view := t.view
	result := &rollout.Result{Outcome: view.Outcome, Message: view.Message, Finding: view.Finding, Standing: view.State == rollout.Open, Record: view.Record}
	if view.GoingBack {
		result.Outcome = rollout.Failed
	}
	text := cli.Sentence(t.object, result)
	if view.Outcome == rollout.RolledBack && view.Finding == nil {
		text = t.object.InNamespace() + ": the rollout was rolled back"
	} else if view.Finding != nil && view.State != rollout.Open && view.Outcome != rollout.RolledBack {
		text = fmt.Sprintf("%s: the rollout failed: %s", t.object, view.Finding)
		if view.Message != "" {
			text += "; " + view.Message
		} else {
			text += t.wayBack(ctx)
		}
	}
	return &cli.Exit{Code: cli.OutcomeCode(result, nil, false), Err: errors.New(text)}
}

// wayBack says how to go back. If there is nothing to go back to, it names the command that says more.
func (t *statusTarget) wayBack(ctx context.Context) string {
	if workload.PodCountsOf(t.view.Workload).Old == 0 && t.newest(ctx) < 2 {
		return "; " + cli.CommandOn("explain", t.object) + " tells more"
	}
	return "; " + cli.CommandOn("undo", t.object) + " goes back"
}

// newest returns the number of the object's newest revision, or 0 if unknown. Only a Deployment has it in the object
// itself.
func (t *statusTarget) newest(ctx context.Context) int64 {
	if _, is := t.view.Workload.(*appsv1.Deployment); is {
		return workload.RevisionOf(t.view.Workload)
	}
	return t.engine.NewestRevision(ctx, t.view.Workload)
}
