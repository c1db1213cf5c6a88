package rollout

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight/survey"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rights"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// errUnderWay is the error for a workload whose controller is still rolling out a version.
func errUnderWay(w workload.Object) error {
	kind, name, namespace := workload.ResourceOf(w), w.GetName(), w.GetNamespace()
	return fmt.Errorf("a rollout of %s %q is already under way; wait for it with %s, or go back with %s, and try again",
		kind, name, command.On("status", kind, name, namespace), command.On("undo", kind, name, namespace))
}

// errNoRevision is the error for a workload that has no such revision, in the words of kubectl rollout undo. 0 means the revision
// before the present one.
func errNoRevision(w workload.Object, number int64) error {
	kind, name, namespace := workload.ResourceOf(w), w.GetName(), w.GetNamespace()
	if number == 0 {
		return fmt.Errorf("no rollout history found for %s %q in namespace %q; there is nothing to go back to", kind, name, namespace)
	}
	return fmt.Errorf("unable to find specified revision %d in history: %s %q in namespace %q; %s lists the revisions",
		number, kind, name, namespace, command.On("history", kind, name, namespace))
}

// underWay reports whether the controller has yet to replace or scale pods.
func (s *Snapshot) underWay(current *appsv1.ReplicaSet) bool {
	return current == nil || s.oldSize(current) > 0 || workload.SizeOf(current) != workload.ReplicasOf(s.deployment())
}

// situation returns what decides which command helps next. On a Deployment that start refuses, another command than
// start does.
func (s *Snapshot) situation(current *appsv1.ReplicaSet) diagnose.Situation {
	d := s.deployment()
	return diagnose.Situation{
		Open:    MayBeOpen(d),
		Refused: d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType || d.Spec.Paused || s.underWay(current),
		First:   workload.RevisionOf(d) < 2,
	}
}

// CheckPaused returns an error if a Deployment is paused: its pods would not be replaced.
func CheckPaused(d *appsv1.Deployment) error {
	if !d.Spec.Paused {
		return nil
	}
	return fmt.Errorf("deployment %q is paused; resume it first with %s and try again", d.Name, command.On("resume", "deployment", d.Name, d.Namespace))
}

// OpenError reports that a rollout cannot begin since another one is open.
type OpenError struct {
	// Kind is the kind in lower case, as people type it.
	Kind, Name string
	Record     *Record
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("a stepwise rollout of %s %q is already under way (step %d of %d)", e.Kind, e.Name, e.Record.Step, len(e.Record.Plan.Steps))
}

// ErrNoRollout reports that no rollout is open that could be resumed or aborted.
var ErrNoRollout = errors.New("no stepwise rollout is open")

// CheckStepRights returns an error if a right is missing without which the rollout of a StatefulSet or DaemonSet could not go on.
func (e *Engine) CheckStepRights(ctx context.Context, w workload.Object) error {
	needed := rights.OfSteps(workload.ResourceOf(w) + "s")
	for i := range needed {
		if !survey.May(ctx, e.Client, w.GetNamespace(), &needed[i]) {
			return fmt.Errorf("the right to %s in namespace %q is missing, without which %s %q cannot be rolled out in steps",
				needed[i], w.GetNamespace(), workload.ResourceOf(w), w.GetName())
		}
	}
	return context.Cause(ctx)
}

// checkSteppable refuses a StatefulSet or DaemonSet whose pods cannot be replaced in steps.
func checkSteppable(w workload.Object) error {
	if Steppable(w) {
		return nil
	}
	of := fmt.Sprintf("%s %q in namespace %q", workload.ResourceOf(w), w.GetName(), w.GetNamespace())
	if workload.PhaseOf(w) == workload.OnDelete {
		return fmt.Errorf("%s has the update strategy OnDelete, so that its pods are replaced only when somebody deletes them; "+
			"set spec.updateStrategy.type to RollingUpdate to roll it out in steps", of)
	}
	return fmt.Errorf("%s has a maxSurge of its own, so that its controller alone can replace its pods; "+
		"set spec.updateStrategy.rollingUpdate.maxSurge to 0 to roll it out in steps", of)
}
