package rollout

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// Limits stands for moved.Limits.
type Limits = moved.Limits

// LimitsOf stands for moved.LimitsOf.
func LimitsOf(strategy appsv1.DeploymentStrategy) Limits { return moved.LimitsOf(strategy) }

// overridden stands for moved.Overridden.
func overridden(strategy appsv1.DeploymentStrategy, surge, unavailable *intstr.IntOrString) (Limits, error) {
	return moved.Overridden(strategy, surge, unavailable)
}

// Resolved stands for moved.Resolved.
type Resolved = moved.Resolved

// limitsOfStatefulSet stands for moved.LimitsOfStatefulSet.
func limitsOfStatefulSet(s *appsv1.StatefulSet, surge, unavailable *intstr.IntOrString) (Resolved, error) {
	return moved.LimitsOfStatefulSet(s, surge, unavailable)
}

// limitsOfDaemonSet stands for moved.LimitsOfDaemonSet.
func limitsOfDaemonSet(d *appsv1.DaemonSet, surge, unavailable *intstr.IntOrString) (Resolved, error) {
	return moved.LimitsOfDaemonSet(d, surge, unavailable)
}

// PlannedStep stands for moved.StepPreview.
type PlannedStep = moved.StepPreview

// OnFailure stands for moved.OnFailure.
type OnFailure = moved.OnFailure

// OnFailureRollback stands for moved.OnFailureRollback.
const OnFailureRollback = moved.OnFailureRollback

// OnFailureHold stands for moved.OnFailureHold.
const OnFailureHold = moved.OnFailureHold

// Plan stands for moved.Plan.
type Plan = moved.Plan

// OptionError stands for moved.OptionError.
type OptionError = moved.OptionError

// Steps stands for moved.Steps.
type Steps = moved.Steps

// DefaultSteps stands for moved.DefaultSteps.
func DefaultSteps() Steps { return moved.DefaultSteps() }
