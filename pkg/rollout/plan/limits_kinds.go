package plan

import (
	"errors"
	"fmt"
	"math"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// LimitsOfStatefulSet resolves the limits as the StatefulSet controller does. A percentage rounds down, but to no less
// than one (getStatefulSetMaxUnavailable in its stateful_set_utils). By default it replaces one pod at a time.
func LimitsOfStatefulSet(s *appsv1.StatefulSet, surge, unavailable *intstr.IntOrString) (Resolved, error) {
	if surge != nil {
		return Resolved{}, &OptionError{Option: "max-surge", Err: errors.New("a StatefulSet has none: a pod goes before the one that replaces it comes")}
	}
	replicas := workload.PodCountsOf(s).Desired
	switch s.Spec.UpdateStrategy.Type {
	case appsv1.OnDeleteStatefulSetStrategyType:
		return Resolved{}, nil
	case appsv1.RecreateStatefulSetStrategyType:
		return Resolved{Unavailable: replicas}, nil
	}
	if update := s.Spec.UpdateStrategy.RollingUpdate; unavailable == nil && update != nil {
		unavailable = update.MaxUnavailable
	}
	count, err := rounded("max-unavailable", unavailable, 1, replicas, false)
	if err == nil && count == 0 && !isZero(*unavailable) {
		count = 1
	}
	if err == nil && count == 0 && replicas > 0 {
		err = &OptionError{Option: "max-unavailable", Err: errors.New("0 lets no pod of a StatefulSet be replaced")}
	}
	return Resolved{Unavailable: min(count, replicas)}, err
}

// LimitsOfDaemonSet resolves the limits as the DaemonSet controller does. One of them is zero, since a node has either
// one pod less or one more.
func LimitsOfDaemonSet(d *appsv1.DaemonSet, surge, unavailable *intstr.IntOrString) (Resolved, error) {
	if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return Resolved{}, nil
	}
	nodes := d.Status.DesiredNumberScheduled
	if update := d.Spec.UpdateStrategy.RollingUpdate; surge == nil && unavailable == nil && update != nil {
		surge, unavailable = update.MaxSurge, update.MaxUnavailable
	}
	above, err := roundedUp("max-surge", surge, 0, nodes)
	if err != nil {
		return Resolved{}, err
	}
	usual := int32(1)
	if above > 0 {
		usual = 0
	}
	below, err := roundedUp("max-unavailable", unavailable, usual, nodes)
	switch {
	case err != nil:
		return Resolved{}, err
	case above > 0 && below > 0:
		return Resolved{}, &OptionError{Option: "max-surge, --max-unavailable", Err: errors.New("one of them has to be 0 for a DaemonSet")}
	case above == 0 && below == 0 && nodes > 0:
		return Resolved{}, &OptionError{Option: "max-unavailable", Err: errors.New("0 without a --max-surge lets no pod of a DaemonSet be replaced")}
	}
	return Resolved{Surge: min(above, nodes), Unavailable: min(below, nodes)}, nil
}

// roundedUp returns a limit as a number of pods. Percentages round up.
func roundedUp(option string, limit *intstr.IntOrString, usual, of int32) (int32, error) {
	return rounded(option, limit, usual, of, true)
}

func rounded(option string, limit *intstr.IntOrString, usual, of int32, up bool) (int32, error) {
	if limit == nil {
		return usual, nil
	}
	count, err := intstr.GetScaledValueFromIntOrPercent(limit, int(of), up)
	if err != nil {
		return 0, &OptionError{Option: option, Err: fmt.Errorf("%q is neither a count nor a percentage: %w", limit.String(), err)}
	}
	if count < 0 || count > math.MaxInt32 {
		return 0, &OptionError{Option: option, Err: fmt.Errorf("%q is no number of pods", limit.String())}
	}
	return int32(count), nil
}

// UnavailableOf returns how many pods of a StatefulSet or DaemonSet may be missing. Percentages round as in the
// workload's controller: down for a StatefulSet, up for a DaemonSet. At least one pod may be missing.
func (l Limits) UnavailableOf(w workload.Object) (int32, error) {
	_, up := w.(*appsv1.DaemonSet)
	count, err := rounded("max-unavailable", &l.Unavailable, 1, workload.PodCountsOf(w).Desired, up)
	return max(count, 1), err
}

// MaxUnavailableOf returns the limit of a workload's own strategy, or nil if it has none.
func MaxUnavailableOf(workload workload.Object) *intstr.IntOrString {
	switch w := workload.(type) {
	case *appsv1.StatefulSet:
		if rolling := w.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
			return rolling.MaxUnavailable
		}
	case *appsv1.DaemonSet:
		if rolling := w.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
			return rolling.MaxUnavailable
		}
	}
	return nil
}
