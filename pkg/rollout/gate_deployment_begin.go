package rollout

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// level also wants the new ReplicaSet numbered, unless the Deployment is paused.
func (deploymentGate) level(s *Snapshot) bool {
	current := s.Current()
	return s.Observed() && (workload.IsPaused(s.Workload) || current != nil && workload.RevisionOf(current) == workload.RevisionOf(s.Workload))
}

func (deploymentGate) from(s *Snapshot) Revision {
	return Revision{ReplicaSet: s.Current().Name, Number: workload.RevisionOf(s.Current())}
}

func (deploymentGate) next(s *Snapshot, p *prepared) int64 {
	return workload.NextRevision(s.ReplicaSets, workload.TemplateOf(p.wanted.typed))
}

func (deploymentGate) refuses(s *Snapshot, _ *Change, _ *StartOptions) error {
	d := s.deployment()
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return fmt.Errorf("deployment %q in namespace %q has strategy Recreate, which stops all pods before new ones start; "+
			"set spec.strategy.type to RollingUpdate to roll it out in steps", d.Name, d.Namespace)
	}
	if err := CheckPaused(d); err != nil {
		return err
	}
	if s.underWay(s.Current()) {
		return errUnderWay(d)
	}
	return nil
}

func (deploymentGate) refusesManifest(w workload.Object) error {
	d, _ := w.(*appsv1.Deployment)
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return fmt.Errorf("the manifest gives deployment %q in namespace %q the strategy Recreate, which stops all pods before new ones start; "+
			"give it RollingUpdate to roll it out in steps", d.Name, d.Namespace)
	}
	if d.Spec.Paused {
		return fmt.Errorf("the manifest pauses deployment %q in namespace %q; remove spec.paused from it to roll it out", d.Name, d.Namespace)
	}
	return nil
}

// own returns a copy with the Deployment's own fields, without what a rollout that others ended has left behind.
func (deploymentGate) own(w workload.Object, record *Record) workload.Object {
	d, _ := w.(*appsv1.Deployment)
	own, free := record.taking(d).Wanted(), d.DeepCopy()
	free.Spec.Strategy, free.Spec.MinReadySeconds, free.Spec.ProgressDeadlineSeconds = own.Strategy, own.MinReadySeconds, own.ProgressDeadlineSeconds
	return free
}

// same ignores fields that this client does not know.
func (deploymentGate) same(live *liveWorkload, target *wanted) bool {
	return workload.SameTemplate(workload.TemplateOf(live.typed), workload.TemplateOf(target.typed))
}

func (deploymentGate) borrow(p *prepared, options *StartOptions) error {
	live, _ := p.live.typed.(*appsv1.Deployment)
	target, _ := p.wanted.typed.(*appsv1.Deployment)
	limits, err := plan.Overridden(target.Spec.Strategy, options.MaxSurge, options.MaxUnavailable)
	if err != nil {
		return err
	}
	if _, err := limits.At(workload.ReplicasOf(target)); err != nil {
		return &plan.OptionError{Option: "max-surge, --max-unavailable", Err: err}
	}
	p.record.Original, p.record.Plan.Limits = SettingsOf(live), limits
	if final := SettingsOf(target); !sameSettings(final, p.record.Original) {
		p.record.Final = &final
	}
	return nil
}

// shut closes the gate with the width of the first step, unless there are no pods.
func (deploymentGate) shut(p *prepared, limits plan.Resolved) {
	if p.bare = p.replicas == 0; !p.bare {
		width := NextWidth(p.record.Target(p.replicas), 0, limits)
		p.record.opens(width.Strategy(p.replicas, p.record.Plan.Limits))
	}
}

func (deploymentGate) held(p *prepared) []heldField {
	live, _ := p.live.typed.(*appsv1.Deployment)
	settings := p.record.Wanted()
	if !p.bare {
		settings = p.record.inForce(live)
	}
	fields := []heldField{
		{[]string{"spec", "strategy"}, settings.Strategy},
		{[]string{"spec", "minReadySeconds"}, settings.MinReadySeconds},
	}
	if settings.ProgressDeadlineSeconds != nil {
		fields = append(fields, heldField{[]string{"spec", "progressDeadlineSeconds"}, *settings.ProgressDeadlineSeconds})
	}
	return fields
}
