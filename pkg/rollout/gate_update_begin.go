package rollout

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func (updateGate) level(s *Snapshot) bool {
	_, recorded := s.Workload.GetAnnotations()[Annotation]
	return recorded || s.Observed()
}

func (updateGate) from(s *Snapshot) Revision {
	return Revision{ControllerRevision: s.Newest.Name, Number: s.Newest.Revision}
}

func (updateGate) next(_ *Snapshot, p *prepared) int64 { return p.from.Number + 1 }

// refuses takes a limit of the surge for a mistake, except that an edit of configuration has limits for several kinds.
func (updateGate) refuses(s *Snapshot, change *Change, options *StartOptions) error {
	if err := checkSteppable(s.Workload); err != nil {
		return err
	}
	if options.MaxSurge != nil && !change.onlyRewrites() {
		err := fmt.Errorf("a %s is rolled out without pods above its own number; leave it out", workload.KindOf(s.Workload))
		return &plan.OptionError{Option: "max-surge", Err: err}
	}
	options.MaxSurge = nil
	return nil
}

func (updateGate) refusesManifest(w workload.Object) error {
	if Steppable(w) {
		return nil
	}
	of := fmt.Sprintf("%s %q in namespace %q", workload.ResourceOf(w), w.GetName(), w.GetNamespace())
	if workload.PhaseOf(w) == workload.OnDelete {
		return fmt.Errorf("the manifest gives %s the update strategy OnDelete, so that its pods are replaced only when somebody deletes them; "+
			"give it RollingUpdate to roll it out in steps", of)
	}
	return fmt.Errorf("the manifest gives %s a maxSurge, so that its controller alone can replace its pods; "+
		"set spec.updateStrategy.rollingUpdate.maxSurge to 0 to roll it out in steps", of)
}

// own leaves a strategy that others have set.
func (updateGate) own(w workload.Object, _ *Record) workload.Object { return w }

// same compares all fields, since the controller makes a revision of all of them.
func (updateGate) same(live *liveWorkload, target *wanted) bool {
	template, err := podtemplate.Of(live.raw)
	return err == nil && podtemplate.SameJSON(map[string]any(template), map[string]any(target.template))
}

func (updateGate) borrow(p *prepared, options *StartOptions) (err error) {
	p.record.Update = &Update{}
	if p.record.Update.Strategy, err = strategyOf(p.live.raw.Object); err != nil {
		return err
	}
	if p.wanted.raw != nil {
		final, err := strategyOf(p.wanted.raw.Object)
		if err != nil {
			return err
		}
		if string(final) != string(p.record.Update.Strategy) {
			p.record.Update.Final = final
		}
	}
	return p.record.limit(p.wanted.typed, options.MaxUnavailable)
}

// limit sets the plan's limits: those of the workload's own strategy, unless another one is given. Without a surge, at
// least one pod has to be missing.
func (r *Record) limit(w workload.Object, given *intstr.IntOrString) error {
	own := plan.Limits{Unavailable: intstr.FromInt32(1)}
	of := workload.Of(w)
	if of.MaxUnavailable != nil {
		own.Unavailable = *of.MaxUnavailable
	}
	if r.Plan.Limits = own; given == nil {
		return nil
	}
	if _, err := limitsOfWorkload(w, nil, given); err != nil {
		return err
	}
	asked := plan.Limits{Unavailable: *given}
	most, err := own.UnavailableOf(w)
	if err != nil {
		return err
	}
	count, err := asked.UnavailableOf(w)
	if r.Update.Paced = count < most; r.Update.Paced || of.IsPerNode { // a StatefulSet's controller never replaces more pods than its own limit
		r.Plan.Limits = asked
	}
	return err
}

// strategyOf returns the update strategy of a workload as the API server holds it.
func strategyOf(object map[string]any) (json.RawMessage, error) {
	spec, _ := object["spec"].(map[string]any)
	strategy, is := spec["updateStrategy"].(map[string]any)
	if !is {
		return nil, errors.New("the API server gave no update strategy")
	}
	return json.Marshal(strategy)
}

// addDefaults fills in the update strategy that the API server gives a StatefulSet or DaemonSet whose manifest leaves it out. It
// has no effect on what the API server itself has answered.
func addDefaults(object *unstructured.Unstructured) error {
	rolling := map[string]any{"maxSurge": int64(0), "maxUnavailable": int64(1)}
	switch of := workload.Of(workload.New(object.GetKind())); {
	case of.HasReplicaSets:
		return nil
	case of.HasOrdinals:
		rolling = map[string]any{"partition": int64(0)}
	}
	strategy, _, err := unstructured.NestedMap(object.Object, "spec", "updateStrategy")
	if err != nil {
		return err
	}
	if strategy == nil {
		strategy = map[string]any{}
	}
	if strategy["type"] == nil {
		strategy["type"] = string(appsv1.RollingUpdateStatefulSetStrategyType)
	}
	if strategy["type"] == string(appsv1.RollingUpdateStatefulSetStrategyType) {
		given, _ := strategy["rollingUpdate"].(map[string]any)
		maps.Copy(rolling, given)
		strategy["rollingUpdate"] = rolling
	}
	return unstructured.SetNestedMap(object.Object, strategy, "spec", "updateStrategy")
}

// shut lets no pod go at first; later snapshots decide how many may.
func (statefulSetGate) shut(p *prepared, _ plan.Resolved) {
	p.record.Update.Partition = new(workload.PodCountsOf(p.wanted.typed).Desired)
}

// held writes the partition alone: the other fields belong to those who set them.
func (statefulSetGate) held(p *prepared) []heldField {
	return []heldField{partitionOf(p.live.typed, *p.record.Update.Partition)}
}

func (daemonSetGate) shut(*prepared, plan.Resolved) {}

func (daemonSetGate) held(*prepared) []heldField { return []heldField{onDelete()} }
