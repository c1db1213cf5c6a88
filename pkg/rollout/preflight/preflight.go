// Package preflight looks for trouble before a rollout begins. It is pure: what it is to look at is fetched by others.
package preflight

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// Status is what a check came to.
type Status string

// The statuses; their names are part of the JSON output.
const (
	OK   Status = "OK"
	Warn Status = "WARN"
	Fail Status = "FAIL"
	Skip Status = "SKIP"
)

// The IDs of the checks. Scripts rely on them.
const (
	Rights            = "Rights"
	QuotaRoom         = "QuotaRoom"
	LimitRangeAllows  = "LimitRangeAllows"
	NodeRoom          = "NodeRoom"
	DisruptionBudget  = "DisruptionBudget"
	Autoscaler        = "Autoscaler"
	ReadinessProbe    = "ReadinessProbe"
	ServiceSelects    = "ServiceSelects"
	References        = "References"
	ImageReference    = "ImageReference"
	ImageTag          = "ImageTag"
	SelectorUnique    = "SelectorUnique"
	DrainTime         = "DrainTime"
	Availability      = "Availability"
	ProgressDeadline  = "ProgressDeadline"
	noMoreThanListed  = 5
	defaultTerminates = 30
)

// Result is what one check came to.
type Result struct {
	ID     string
	Status Status
	// Message says what was seen, or for a check that was skipped why.
	Message string
}

// Right is something that the command will do.
type Right struct {
	Verb, Group, Resource string
	// Needed tells rights without which the command cannot work from those without which it tells less.
	Needed  bool
	Allowed bool
}

func (r Right) String() string { return r.Verb + " " + r.Resource }

// Listed are objects of one sort, or why they could not be read.
type Listed[T any] struct {
	Items []T
	Err   error
}

// Reference is an object that pods need.
type Reference struct {
	Kind, Name string
	Missing    bool
	Err        error
}

// Input is what is known of a Deployment as it is to become, and of its surroundings.
type Input struct {
	Deployment *appsv1.Deployment
	// Surge and Unavailable are the rollout's limits as numbers of pods.
	Surge, Unavailable int32

	Rights      Listed[Right]
	Quotas      Listed[corev1.ResourceQuota]
	LimitRanges Listed[corev1.LimitRange]
	Nodes       Listed[corev1.Node]
	Budgets     Listed[policyv1.PodDisruptionBudget]
	Autoscalers Listed[autoscalingv2.HorizontalPodAutoscaler]
	Services    Listed[corev1.Service]
	Deployments Listed[appsv1.Deployment]
	References  []Reference
}

// Check makes all checks, in a fixed order.
func Check(in *Input) []Result {
	return []Result{
		rights(in), imageReference(in), references(in), quotaRoom(in), limitRange(in), nodeRoom(in), disruptionBudget(in), autoscaler(in),
		readinessProbe(in), serviceSelects(in), selectorUnique(in), imageTag(in), drainTime(in), availability(in), progressDeadline(in),
	}
}

// Failed are the results that stand against a rollout.
func Failed(results []Result) []Result {
	return slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.Status != Fail })
}

func ok(id, format string, arguments ...any) Result {
	return Result{id, OK, fmt.Sprintf(format, arguments...)}
}

func warn(id, format string, arguments ...any) Result {
	return Result{id, Warn, fmt.Sprintf(format, arguments...)}
}

func fail(id, format string, arguments ...any) Result {
	return Result{id, Fail, fmt.Sprintf(format, arguments...)}
}

func skip(id string, err error) Result {
	return Result{id, Skip, err.Error()}
}

func template(in *Input) *corev1.PodSpec { return &in.Deployment.Spec.Template.Spec }

// containers are all that run, init containers included.
func containers(spec *corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...)
}

func replicas(in *Input) int32 {
	if in.Deployment.Spec.Replicas == nil {
		return 1
	}
	return *in.Deployment.Spec.Replicas
}
