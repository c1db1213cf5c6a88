package rollout

import (
	"context"
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight/survey"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rights"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// mayLaunch refuses a StatefulSet or DaemonSet that a rollout cannot begin on. An edit of configuration may come while another
// version is still being rolled out.
func (b *updateBeginning) mayLaunch(ctx context.Context, live workload.Object) error {
	if err := checkSteppable(live); err != nil || b.change.onlyRewrites() {
		return err
	}
	if b.options.MaxSurge != nil {
		return &plan.OptionError{Option: "max-surge", Err: fmt.Errorf("a %s is rolled out without pods above its own number; leave it out", b.kind)}
	}
	if b.change.overtaken(workload.TemplateOf(live)) {
		return ErrOvertaken
	}
	if b.options.DryRun != DryRunClient {
		if err := b.CheckStepRights(ctx, live); err != nil {
			return err
		}
	}
	busy, err := history.UnderWay(ctx, b.Client, live)
	if err == nil && busy {
		err = errUnderWay(live)
	}
	return err
}

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

// wantTemplate returns the pod template that the change results in, and the preStop hooks that it added, if any.
func (b *updateBeginning) wantTemplate(ctx context.Context, live workload.Object, present podtemplate.Template) (podtemplate.Template, *Drained, error) {
	b.cause = b.change.Cause
	copied, _ := podtemplate.CopyJSON(map[string]any(present)).(map[string]any)
	wanted := podtemplate.Template(copied)
	if b.change.ToRevision != nil {
		revision, err := b.revisionToReturnTo(ctx, live, *b.change.ToRevision)
		if err == nil {
			wanted, err = podtemplate.RawOfRevision(revision)
		}
		if err != nil {
			return nil, nil, err
		}
		if b.change.OwnCause {
			b.cause = revision.Annotations[workload.ChangeCauseAnnotation]
		}
	}
	drained, err := b.change.edit(wanted, live, b.Clock.Now())
	return wanted, drained, err
}

// revisionToReturnTo returns an earlier revision of a workload. 0 means the one before the newest. For 0, it skips revisions
// that are known to have failed, and emits a message about them. The messages are those of kubectl rollout undo.
func (b *updateBeginning) revisionToReturnTo(ctx context.Context, live workload.Object, number int64) (*appsv1.ControllerRevision, error) {
	revisions, err := b.revisionsOf(ctx, live)
	if err != nil {
		return nil, err
	}
	found, failed := pickRevision(revisions, newestOf(revisions), number, func(r *appsv1.ControllerRevision) int64 { return r.Revision })
	b.tellSkipped(failed)
	if found == nil {
		return nil, errNoRevision(live, number)
	}
	return found, nil
}
