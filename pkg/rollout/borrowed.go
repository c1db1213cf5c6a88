package rollout

import (
	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
)

// Opening is a gate as it was written: its strategy, and the how manieth it was, so that no two are alike.
type Opening struct {
	Limits

	Move int `json:"move"`
}

// opens notes the strategy of a gate that is about to be written.
func (r *Record) opens(strategy appsv1.DeploymentStrategy) {
	opening := Opening{Limits: LimitsOf(strategy), Move: 1}
	if r.Gate != nil {
		opening.Move += r.Gate.Move
	}
	r.Gate = &opening
}

// inForce are the borrowed fields as the rollout has written them last, or is about to. Where a record of an earlier version
// does not tell the gate, the Deployment's strategy is taken for it.
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

// unset are the fields that settings leave out.
func (s Settings) unset() []ownership.Field {
	if s.MinReadySeconds == 0 {
		return []ownership.Field{{"spec", "minReadySeconds"}}
	}
	return nil
}

func rollingUpdate(limits Limits) appsv1.DeploymentStrategy {
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &limits.Surge, MaxUnavailable: &limits.Unavailable},
	}
}

// taking is the record with what others have set of the borrowed fields since the rollout wrote them: it is what the
// Deployment is left with in the end, whatever becomes of the rollout. Who writes it drives the rollout. The record itself is
// not changed.
func (r *Record) taking(d *appsv1.Deployment) *Record {
	taken, written, live := *r.driven(), r.inForce(d), SettingsOf(d)
	taken.Original = r.Original.taking(written, live)
	if r.Final != nil {
		taken.Final = new(r.Final.taking(written, live))
	}
	taken.taken(d, written, live)
	return &taken
}

// taking are the settings with what differs between two others.
func (s Settings) taking(written, live Settings) Settings {
	if !sameStrategy(written.Strategy, live.Strategy) {
		s.Strategy = live.Strategy
	}
	if !sameDeadline(written, live) {
		s.ProgressDeadlineSeconds = live.ProgressDeadlineSeconds
	}
	// A closed gate has no deadline, so that anything may have been set. The API takes only what is below the deadline.
	if seconds, most := live.MinReadySeconds, s.ProgressDeadlineSeconds; seconds != written.MinReadySeconds && (most == nil || seconds < *most) {
		s.MinReadySeconds = seconds
	}
	return s
}

// foreign tells whether somebody else has written the strategy of a closed gate.
func (r *Record) foreign(d *appsv1.Deployment) bool {
	return !sameStrategy(r.inForce(d).Strategy, d.Spec.Strategy)
}

// leftBehind tells whether a Deployment whose gate others have opened still carries something of it.
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
	return a.Type == b.Type && LimitsOf(a) == LimitsOf(b)
}

func sameDeadline(a, b Settings) bool {
	return apiequality.Semantic.DeepEqual(a.ProgressDeadlineSeconds, b.ProgressDeadlineSeconds)
}
