package rollout

import (
	"fmt"
	"math"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	// GateMinReadySeconds is the minReadySeconds of a Deployment whose rollout is open. No pod is ever ready for that
	// long, so new pods serve but never count as available, and the Deployment controller stands still. It is one below
	// the largest value, since the API wants progressDeadlineSeconds to be greater.
	GateMinReadySeconds = math.MaxInt32 - 1
	// GateProgressDeadlineSeconds is the value that the Deployment controller reads as "no deadline" (HasProgressDeadline in
	// its deploymentutil). While a rollout is open, the engine enforces the Deployment's own deadline instead.
	GateProgressDeadlineSeconds = math.MaxInt32
)

// Width is how far the gate of a Deployment is open: its controller settles at Unavailable + Surge new pods and
// replicas - Unavailable old ones.
type Width struct {
	Surge       int32
	Unavailable int32
}

// NextWidth opens the gate towards a step's target as far as the limits allow with this many truly ready new pods. Old pods go
// only as new ones are ready, and extra pods come first.
func NextWidth(target, ready int32, limits plan.Resolved) Width {
	unavailable := min(target, ready+limits.Unavailable)
	return Width{Unavailable: unavailable, Surge: min(limits.Surge, target-unavailable)}
}

// within lets the gate make no more new pods than a target, if this many old pods may already be gone. Every old pod that is
// gone makes room for a new one, even if the new pods that it went for are not ready any more.
func (g Width) within(target, gone int32) Width {
	g.Surge = max(0, min(g.Surge, target-max(g.Unavailable, gone)))
	if g == (Width{}) {
		g.Unavailable = 1 // the API refuses zero for both, and an old pod is gone already
	}
	return g
}

// RestingWidth holds a finished step with the smallest maxUnavailable at which the controller stands still. Others may set
// another template or fewer replicas meanwhile. Then no more pods go at once than the limits allow. The gate at the end of a
// step would let all its new pods go.
func RestingWidth(target int32, limits plan.Resolved) Width {
	return Width{Unavailable: min(target, max(limits.Unavailable, 1))}
}

// New returns the number of new pods at which the controller settles.
func (g Width) New() int32 { return g.Unavailable + g.Surge }

// Strategy returns the gate as a strategy. It uses percentages if they mean the very same numbers. If replicas change while
// nobody watches, the gate then changes in proportion, as the controller's own scaling of the ReplicaSets does. A fixed
// maxUnavailable would let the controller remove all old pods of a Deployment that is scaled down.
func (g Width) Strategy(replicas int32, limits plan.Limits) appsv1.DeploymentStrategy {
	unavailable, surge := unavailableValue(g.Unavailable, replicas), intstr.FromInt32(g.Surge)
	if limits.Surge.Type == intstr.String {
		surge = surgeValue(g.Surge, replicas)
	}
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &unavailable},
	}
}

// unavailableValue returns the percentage that rounds down to count, or count itself if there is none.
func unavailableValue(count, replicas int32) intstr.IntOrString {
	if count > 0 && count <= replicas {
		if percent := (100*count + replicas - 1) / replicas; percent*replicas/100 == count {
			return intstr.FromString(fmt.Sprintf("%d%%", percent))
		}
	}
	return intstr.FromInt32(count)
}

// surgeValue returns the percentage that rounds up to count, or count itself if there is none.
func surgeValue(count, replicas int32) intstr.IntOrString {
	if count > 0 && replicas > 0 {
		if percent := 100 * count / replicas; (percent*replicas+99)/100 == count {
			return intstr.FromString(fmt.Sprintf("%d%%", percent))
		}
	}
	return intstr.FromInt32(count)
}

// widthOf reads the gate that a Deployment carries now. It takes the fields literally, without the maxUnavailable of 1 that the
// controller assumes if both limits are zero.
func widthOf(d *appsv1.Deployment) (Width, error) {
	scaled, err := plan.LimitsOf(d.Spec.Strategy).Scaled(workload.ReplicasOf(d))
	return Width(scaled), err
}
