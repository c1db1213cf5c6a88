package wait

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// statusTarget is one object that status reports on.
type statusTarget struct {
	*statusRun
	object   printers.Object
	workload workload.Object
	viewer   polymorphichelpers.StatusViewer
	// awaited is the pod template to wait for, or nil for any.
	awaited *corev1.PodTemplateSpec
	// view, told and obstacle are what was seen and printed last. toldLack is true once it was printed why success is held
	// back. toldWhy is true once it was printed why the rollout goes back.
	view     *rollout.View
	told     string
	toldLack bool
	toldWhy  bool
	obstacle types.UID
	// err is the result of following the object.
	err error
}

// follow prints what happens to the object until its rollout has ended.
func (t *statusTarget) follow(ctx context.Context) error {
	ended := false
	err := t.engine.Follow(ctx, t.workload, t.awaited, func(view *rollout.View) (bool, error) {
		enough, err := t.see(ctx, view)
		ended = enough || err != nil
		return ended, err
	})
	if ended || err == nil {
		return err
	}
	if t.view == nil {
		t.view = rollout.Glance(t.workload)
		if !t.Watch && apierrors.IsForbidden(err) {
			_, err := t.see(ctx, t.view) // the object itself is all there is to see
			return err
		}
	}
	phase := t.view.Phase
	switch {
	case errors.Is(err, rollout.ErrTimeout):
		phase = workload.PhaseTimedOut
		err = fmt.Errorf("%w: --timeout %s passed, and %s is not rolled out yet%s; %s waits on",
			rollout.ErrTimeout, t.Timeout, t.object, t.inTheWay(), cli.CommandOn("status", t.object))
	case errors.Is(err, rollout.ErrDeleted):
		phase = workload.PhaseDeleted
		err = cli.Unsaid(err, t.object, command.Lists(t.object.Kind, t.object.Namespace)+" lists those there are")
	case apierrors.IsForbidden(err):
		err = fmt.Errorf("%w; without it %s cannot be followed, and status --watch=false just looks", err, t.object.InNamespace())
	}
	err = cli.WaitedFor(err, t.object)
	t.document(ctx, phase, err)
	return err
}

// inTheWay says what the object's rollout is waiting for.
func (t *statusTarget) inTheWay() string {
	switch view := t.view; {
	case view.Hindrance != nil:
		return cli.InTheWay(view.Hindrance)
	case view.Obstacle.Text != "":
		return "; in its way: " + view.Obstacle.Text
	case view.Ending != "":
		return "; " + view.Ending
	}
	return ""
}

// see prints what has changed, and reports whether to stop. It returns an error if the rollout has ended badly.
func (t *statusTarget) see(ctx context.Context, view *rollout.View) (bool, error) {
	enough, err := t.judge(ctx, view)
	if view.Finding != nil && (enough || err != nil) && !t.toldWhy {
		var revision int64
		if err != nil && t.Leaves {
			revision = t.newest(ctx)
		}
		t.blame(view.Finding, err != nil, revision)
	}
	return enough, err
}

func (t *statusTarget) judge(ctx context.Context, view *rollout.View) (bool, error) {
	t.view = view
	if view.Stale && !t.Watch {
		return false, nil // a single look needs the complete state
	}
	text, done, err := t.status(view)
	if err != nil {
		err = t.refused(ctx, err)
		t.document(ctx, t.phaseRefused(), err)
		return true, err
	}
	text, done = t.corrected(view, text, done)
	t.line(text)
	switch {
	case t.isAbandoned(view):
		err = t.abandoned()
	case t.fails(view):
		err = t.failure(ctx)
	case done && t.settles && (view.Settling || t.WaitTerminated && view.Terminating > 0):
		return false, nil
	case done:
		t.tellPartition()
		t.tellEmpty()
		t.tellEnding()
	case !t.Watch && t.ExitCode:
		t.document(ctx, view.Phase, nil)
		return true, &cli.Exit{Code: cli.ExitUnfinished, Err: fmt.Errorf("%s is not rolled out yet; %s waits for it",
			t.object, cli.CommandOn("status", t.object))}
	case t.Watch:
		t.tellBlind()
		t.tellObstacle()
		t.tellGoingBack()
		return false, nil
	}
	t.document(ctx, view.Phase, err)
	return true, err
}

// corrected returns the line to print and whether the rollout has ended. It differs from kubectl's answer if that is
// incomplete.
func (t *statusTarget) corrected(view *rollout.View, text string, done bool) (string, bool) {
	switch {
	case view.State == rollout.Open && done:
		text, done = stepLine(view), false // kubectl counts no pods as complete
	case view.State == rollout.Open:
		text, done = text+stepLine(view), false
	case view.Phase == workload.PhaseRolledBack:
		text, done = t.told, false
	case view.Returns:
		text, done = returningLine(view), false
	}
	if done && t.lacks(view) {
		return t.heldBack(text), false
	}
	if done && t.Watch && view.Unseen {
		return t.told, false // for a moment
	}
	return text, done
}

// lacks reports whether a StatefulSet or DaemonSet is incomplete although kubectl calls it complete. Of a StatefulSet kubectl
// checks neither minReadySeconds nor which pods are updated. For a single look, kubectl's line is enough.
func (t *statusTarget) lacks(view *rollout.View) bool {
	_, isDeployment := view.Workload.(*appsv1.Deployment)
	return !isDeployment && view.Phase == workload.Progressing && (t.Watch || t.ExitCode || t.Output != "")
}

// status returns kubectl's line, and whether the rollout has ended. If kubectl has no status for the workload, the phase
// decides for a command that waits.
func (t *statusTarget) status(view *rollout.View) (text string, done bool, err error) {
	if _, is := view.Workload.(*appsv1.Deployment); !is && view.State == rollout.Open {
		return "", false, nil // an open rollout gives a DaemonSet a strategy for which kubectl has no status
	}
	if t.settles && recreates(view.Workload) {
		return "", view.Phase == workload.Complete, nil
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(view.Workload)
	if err != nil {
		return "", false, err
	}
	return t.viewer.Status(&unstructured.Unstructured{Object: object}, t.Revision)
}

// fails reports whether a problem is reported as a failure. kubectl's line alone reports none.
func (t *statusTarget) fails(view *rollout.View) bool {
	if view.GoingBack && !t.Watch {
		return true // a single look does not wait for the end of the way back
	}
	return view.Outcome != "" && (t.Watch || t.ExitCode || view.State == rollout.Open)
}

// isAbandoned reports whether nobody drives an open rollout. It waits a while, since somebody may just have resumed it.
func (t *statusTarget) isAbandoned(view *rollout.View) bool {
	a := view.Attendance
	return a != nil && a.Abandoned() && view.State == rollout.Open && (!t.Watch && t.ExitCode || t.Watch && view.AbandonedFor >= rollout.BelievedAfter)
}

// abandoned returns the error for a rollout that nobody drives.
func (t *statusTarget) abandoned() error {
	view := t.view
	text := t.object.InNamespace() + ": " + view.Attendance.Text()
	if view.Finding != nil {
		text += ": " + view.Finding.String()
	}
	result := &rollout.Result{Outcome: rollout.Failed, Standing: true, Record: view.Record}
	return &cli.Exit{Code: cli.ExitStanding, Err: errors.New(text + cli.Standing(t.object, result))}
}

// phaseRefused returns the phase of an object for which kubectl has no status.
func (t *statusTarget) phaseRefused() workload.Phase {
	if d, is := t.view.Workload.(*appsv1.Deployment); is && t.Revision != 0 && t.Revision != workload.RevisionOf(d) {
		return workload.PhaseOtherRevision
	}
	return t.view.Phase
}

// returningLine returns the line of a rollout whose old version returns.
func returningLine(view *rollout.View) string {
	c := workload.PodCountsOf(view.Workload)
	return fmt.Sprintf("rolling back: %d of %d pods of the old version, %d of %d pods available\n", c.Updated, c.Desired, c.Available, c.Desired)
}

// stepLine returns the line of an open rollout.
func stepLine(view *rollout.View) string {
	step := fmt.Sprintf("step %d of %d", view.Record.Step, len(view.Record.Plan.Steps))
	if view.Blind != nil {
		return step + "\n"
	}
	c, target, more := view.Counts, rollout.TargetOf(view.Workload, view.Record), ""
	if rollout.Overshot(c, target) > 0 {
		more = "; others have overshot the step"
	}
	if a := view.Attendance; a != nil && !a.HoldUntil.IsZero() {
		more += "; watched until " + a.HoldUntil.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s: %d of %d new pods ready, %d old, %d in total, %d available%s\n", step, c.NewReady, target, c.Old, c.Total, c.Ready, more)
}

// recreates reports whether a StatefulSet stops all its pods before new ones start. kubectl has no status for that
// strategy.
func recreates(workload workload.Object) bool {
	set, is := workload.(*appsv1.StatefulSet)
	return is && set.Spec.UpdateStrategy.Type == appsv1.RecreateStatefulSetStrategyType
}

// onDelete says how many pods of an object with strategy OnDelete have been replaced.
func onDelete(name string, counts workload.PodCounts) string {
	if counts.Updated >= counts.Total {
		return fmt.Sprintf("%s has strategy OnDelete: all %d pods run its newest revision", name, counts.Total)
	}
	return fmt.Sprintf("%s has strategy OnDelete: %d of %d pods run its newest revision, the others are replaced when you delete them",
		name, counts.Updated, counts.Total)
}
