package rollout

import (
	"context"
	"encoding/json"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// planUpdate returns the record of the rollout, and the event that shows its plan.
func (b *updateBeginning) planUpdate(ctx context.Context, object map[string]any, live workload.Object) (*Record, PlanEvent, error) {
	from, err := b.revisionOfTemplate(ctx, live)
	if err != nil {
		return nil, PlanEvent{}, err
	}
	record := &Record{
		SchemaVersion: recordVersion,
		Update:        &Update{},
		From:          Revision{ControllerRevision: from.Name, Number: from.Revision},
		ToRevision:    from.Revision + 1,
		Plan:          plan.Plan{Hold: metav1.Duration{Duration: b.options.Hold}, OnFailure: b.options.OnFailure},
		Step:          1, Note: b.change.Note, StartedAt: b.began,
	}
	record = record.alive(b.began.Time)
	if record.Update.Strategy, err = strategyOf(object); err != nil {
		return nil, PlanEvent{}, err
	}
	if err := record.limit(live, b.options.MaxUnavailable); err != nil {
		return nil, PlanEvent{}, err
	}
	replicas, desired := stepped(live, record.Update), workload.PodCountsOf(live).Desired
	if record.Plan.Steps, err = b.options.Steps.Complete().For(replicas); err != nil {
		return nil, PlanEvent{}, &plan.OptionError{Option: "steps", Err: err}
	}
	unavailable, err := record.Plan.Limits.UnavailableOf(live)
	if err != nil {
		return nil, PlanEvent{}, err
	}
	if _, is := live.(*appsv1.StatefulSet); is {
		record.Update.Partition = &desired // at first no pod may go; later snapshots decide how many may
	}
	return record, PlanEvent{
		Replicas: replicas, Limits: plan.Resolved{Unavailable: unavailable}, Steps: previewUpdate(record.Plan, replicas, desired, unavailable),
	}, nil
}

// limit sets the plan's limits: those of the workload's own strategy, unless another one is given. Without a surge, at
// least one pod has to be missing.
func (r *Record) limit(live workload.Object, given *intstr.IntOrString) error {
	own := plan.Limits{Unavailable: intstr.FromInt32(1)}
	if limit := workload.Of(live).MaxUnavailable; limit != nil {
		own.Unavailable = *limit
	}
	if r.Plan.Limits = own; given == nil {
		return nil
	}
	set, isSet := live.(*appsv1.StatefulSet)
	err := error(nil)
	if isSet {
		_, err = plan.LimitsOfStatefulSet(set, nil, given)
	} else if d, is := live.(*appsv1.DaemonSet); is {
		_, err = plan.LimitsOfDaemonSet(d, nil, given)
	}
	if err != nil {
		return err
	}
	asked := plan.Limits{Unavailable: *given}
	most, err := own.UnavailableOf(live)
	if err != nil {
		return err
	}
	count, err := asked.UnavailableOf(live)
	if r.Update.Paced = count < most; r.Update.Paced || !isSet { // a StatefulSet's controller never replaces more pods than its own limit
		r.Plan.Limits = asked
	}
	return err
}

// previewUpdate returns what the plan's steps amount to with the given numbers of pods.
func previewUpdate(p plan.Plan, replicas, desired, unavailable int32) []plan.StepPreview {
	planned := make([]plan.StepPreview, 0, len(p.Steps))
	var before int32
	for i, step := range p.Steps {
		target := p.Steps.Target(i, replicas)
		planned = append(planned, plan.StepPreview{
			Number: i + 1, As: step.String(), New: target, Old: desired - target, MaxTotal: desired,
			MinAvailable: desired - min(unavailable, target-before),
		})
		before = target
	}
	return planned
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
