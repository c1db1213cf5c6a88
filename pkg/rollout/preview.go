package rollout

import (
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// preview returns the outcomes of the plan's steps at this number of replicas.
func preview(p plan.Plan, replicas int32) ([]plan.StepPreview, error) {
	limits, err := p.Limits.At(replicas)
	if err != nil {
		return nil, err
	}
	var before int32
	planned := make([]plan.StepPreview, 0, len(p.Steps))
	for i, step := range p.Steps {
		target := p.Steps.Target(i, replicas)
		// The gate is widest at the start of a step, when none of its new pods is ready.
		widest := NextWidth(target, before, limits)
		planned = append(planned, plan.StepPreview{
			Number:       i + 1,
			As:           step.String(),
			New:          target,
			Old:          replicas - target,
			MaxTotal:     replicas + widest.Surge,
			MinAvailable: replicas - (widest.Unavailable - before),
		})
		before = target
	}
	return planned, nil
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
