package rollout

import (
	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// Opening is the gate as last written. Move counts the writes, so no two openings are equal.
type Opening struct {
	plan.Limits

	Move int `json:"move"`
}

// opens stores in the record the strategy of a gate that is about to be written, and counts the write.
func (r *Record) opens(strategy appsv1.DeploymentStrategy) {
	opening := Opening{Limits: plan.LimitsOf(strategy), Move: 1}
	if r.Gate != nil {
		opening.Move += r.Gate.Move
	}
	r.Gate = &opening
}

// inForce returns the borrowed fields as the rollout last wrote them, or is about to. Records of earlier versions do not hold
// the gate: then the Deployment's strategy stands in for it.
func (r *Record) inForce(d *appsv1.Deployment) Settings {
	switch {
	case r.RollingBack:
		settings := r.Original
		settings.Strategy = rollingUpdate(r.Plan.Limits)
		return settings
	case r.Ungated:
		settings := r.Wanted()
		settings.ProgressDeadlineSeconds = new(int32(GateProgressDeadlineSeconds))
		return settings
	case r.Gate == nil:
		return gated(d.Spec.Strategy)
	}
	return gated(rollingUpdate(r.Gate.Limits))
}

// unset returns the fields that these settings leave out.
func (s Settings) unset() []ownership.Field {
	if s.MinReadySeconds == 0 {
		return []ownership.Field{{"spec", "minReadySeconds"}}
	}
	return nil
}

func rollingUpdate(limits plan.Limits) appsv1.DeploymentStrategy {
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &limits.Surge, MaxUnavailable: &limits.Unavailable},
	}
}

// taking returns a copy of the record that adopts what others have set in the borrowed fields since the rollout wrote them. The
// Deployment keeps those values in the end, however the rollout ends. The copy counts as driven, because whoever writes it
// drives the rollout.
func (r *Record) taking(d *appsv1.Deployment) *Record {
	taken, written, live := *r.driven(), r.inForce(d), SettingsOf(d)
	taken.Original = r.Original.taking(written, live)
	if r.Final != nil {
		taken.Final = new(r.Final.taking(written, live))
	}
	taken.taken(d, written, live)
	return &taken
}

// taking returns the settings with each value that others have changed, which is where live differs from written.
func (s Settings) taking(written, live Settings) Settings {
	if !sameStrategy(written.Strategy, live.Strategy) {
		s.Strategy = live.Strategy
	}
	if !sameDeadline(written, live) {
		s.ProgressDeadlineSeconds = live.ProgressDeadlineSeconds
	}
	// A closed gate has no deadline, so others may have set any value. The API takes only a value below the deadline.
	if seconds, most := live.MinReadySeconds, s.ProgressDeadlineSeconds; seconds != written.MinReadySeconds && (most == nil || seconds < *most) {
		s.MinReadySeconds = seconds
	}
	return s
}

// foreign reports whether somebody else has written the strategy of a closed gate.
func (r *Record) foreign(d *appsv1.Deployment) bool {
	return !sameStrategy(r.inForce(d).Strategy, d.Spec.Strategy)
}

// leftBehind reports whether a Deployment still carries part of a gate that others have opened.
func (r *Record) leftBehind(d *appsv1.Deployment) bool {
	if r.RollingBack {
		return false
	}
	written, live, wanted := r.inForce(d), SettingsOf(d), r.Wanted()
	if sameDeadline(written, live) && !sameDeadline(wanted, live) {
		return true
	}
	return r.Gate != nil && sameStrategy(written.Strategy, live.Strategy) && !sameStrategy(wanted.Strategy, live.Strategy)
}

func sameStrategy(a, b appsv1.DeploymentStrategy) bool {
	return a.Type == b.Type && plan.LimitsOf(a) == plan.LimitsOf(b)
}

func sameDeadline(a, b Settings) bool {
	return apiequality.Semantic.DeepEqual(a.ProgressDeadlineSeconds, b.ProgressDeadlineSeconds)
}
