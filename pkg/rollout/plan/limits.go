package plan

import (
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Limits say how far a rollout may depart from spec.replicas: Surge is how many pods may exist above it, Unavailable
// how many ready pods may be missing from it. Both are counts or percentages of the live spec.replicas.
type Limits struct {
	Surge       intstr.IntOrString `json:"surge"`
	Unavailable intstr.IntOrString `json:"unavailable"`
}

// LimitsOf reads the limits of a rolling update strategy; fields that are not set have the API server's default of 25%.
func LimitsOf(strategy appsv1.DeploymentStrategy) Limits {
	limits := Limits{Surge: intstr.FromString("25%"), Unavailable: intstr.FromString("25%")}
	if ru := strategy.RollingUpdate; ru != nil {
		if ru.MaxSurge != nil {
			limits.Surge = *ru.MaxSurge
		}
		if ru.MaxUnavailable != nil {
			limits.Unavailable = *ru.MaxUnavailable
		}
	}
	return limits
}

// Override returns the limits with the given ones in place of its own. Nil keeps a limit.
func (l Limits) Override(surge, unavailable *intstr.IntOrString) Limits {
	if surge != nil {
		l.Surge = *surge
	}
	if unavailable != nil {
		l.Unavailable = *unavailable
	}
	return l
}

// Overridden applies the given limits to the strategy's own. It refuses zero for both, as the API does: guessing would
// allow a missing pod that nobody asked for.
func Overridden(strategy appsv1.DeploymentStrategy, surge, unavailable *intstr.IntOrString) (Limits, error) {
	own := LimitsOf(strategy)
	switch limits := own.Override(surge, unavailable); {
	case !limits.AreZero():
		return limits, nil
	case surge == nil:
		return limits, &OptionError{Option: "max-unavailable", Err: fmt.Errorf("%s lets no pod be replaced, since the Deployment's own maxSurge is %s; "+
			"give --max-surge, too", unavailable, own.Surge.String())}
	case unavailable == nil:
		return limits, &OptionError{Option: "max-surge", Err: fmt.Errorf("%s lets no pod be replaced, since the Deployment's own maxUnavailable is %s; "+
			"give --max-unavailable, too", surge, own.Unavailable.String())}
	default:
		return limits, &OptionError{Option: "max-surge, --max-unavailable", Err: errors.New("both are zero, which lets no pod be replaced; raise one of them")}
	}
}

// AreZero reports whether the limits allow neither an extra nor a missing pod at any number of replicas.
func (l Limits) AreZero() bool { return isZero(l.Surge) && isZero(l.Unavailable) }

func isZero(limit intstr.IntOrString) bool {
	scaled, err := intstr.GetScaledValueFromIntOrPercent(&limit, 100, true)
	return err == nil && scaled == 0
}

// Resolved are limits as numbers of pods.
type Resolved struct {
	Surge       int32
	Unavailable int32
}

// At resolves the limits as the Deployment controller does (ResolveFenceposts in its deploymentutil). Surge rounds up
// and unavailable rounds down. Where both come out as zero, one pod may be missing, since nothing could move otherwise.
func (l Limits) At(replicas int32) (Resolved, error) {
	scaled, err := l.Scaled(replicas)
	if err != nil {
		return Resolved{}, err
	}
	if scaled.Surge <= 0 && scaled.Unavailable <= 0 {
		scaled = Resolved{Unavailable: 1}
	}
	scaled.Unavailable = min(scaled.Unavailable, replicas)
	return scaled, nil
}

// Scaled converts the limits to numbers of pods literally. Unlike At, it allows both to be zero.
func (l Limits) Scaled(replicas int32) (Resolved, error) {
	surge, err := intstr.GetScaledValueFromIntOrPercent(&l.Surge, int(replicas), true)
	if err != nil {
		return Resolved{}, fmt.Errorf("maxSurge %q is neither a count nor a percentage: %w", l.Surge.String(), err)
	}
	unavailable, err := intstr.GetScaledValueFromIntOrPercent(&l.Unavailable, int(replicas), false)
	if err != nil {
		return Resolved{}, fmt.Errorf("maxUnavailable %q is neither a count nor a percentage: %w", l.Unavailable.String(), err)
	}
	return Resolved{Surge: int32(surge), Unavailable: int32(unavailable)}, nil //nolint:gosec // the API's own fields are int32
}
