package rollout

import (
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// checkStart refuses a Deployment that a rollout cannot begin on.
func checkStart(d *appsv1.Deployment, snapshot *Snapshot) error {
	state, record, err := OpenRollout(d, snapshot.ReplicaSets)
	if err != nil {
		return err
	}
	if state != Idle && state != Disturbed {
		return &OpenError{Kind: workload.ResourceOf(d), Name: d.Name, Record: record}
	}
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return fmt.Errorf("deployment %q in namespace %q has strategy Recreate, which stops all pods before new ones start; "+
			"set spec.strategy.type to RollingUpdate to roll it out in steps", d.Name, d.Namespace)
	}
	if err := CheckPaused(d); err != nil {
		return err
	}
	if snapshot.underWay(snapshot.Current()) {
		return errUnderWay(d)
	}
	return nil
}

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
