// Package preflight looks for trouble before a rollout begins. It is pure: what it is to look at is fetched by others.
package preflight

import (
	"fmt"
	"slices"

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
	Rights           = "Rights"
	QuotaRoom        = "QuotaRoom"
	LimitRangeAllows = "LimitRangeAllows"
	NodeRoom         = "NodeRoom"
	DisruptionBudget = "DisruptionBudget"
	Autoscaler       = "Autoscaler"
	ReadinessProbe   = "ReadinessProbe"
	ServiceSelects   = "ServiceSelects"
	References       = "References"
	PullSecrets      = "PullSecrets"
	ImageReference   = "ImageReference"
	ImageTag         = "ImageTag"
	SelectorUnique   = "SelectorUnique"
	DrainTime        = "DrainTime"
	PreStop          = "PreStop"
	Availability     = "Availability"
	ProgressDeadline = "ProgressDeadline"
	UpdateStrategy   = "UpdateStrategy"
	ServiceName      = "ServiceName"
	ClaimTemplates   = "ClaimTemplates"
	OpenRollout      = "OpenRollout"
	// Manifest is made by whoever reads one: it asks for something that a rollout does not do.
	Manifest          = "Manifest"
	noMoreThanListed  = 5
	defaultTerminates = 30
)

// Result is what one check came to.
type Result struct {
	ID     string
	Status Status
	// Message says what was seen, or for a check that was skipped why.
	Message string
	// OfOthers tells of one that was skipped because it is about other kinds of workloads.
	OfOthers bool
}

// Right is something that the command will do.
type Right struct {
	Verb, Group, Resource string
	// Name is the only object that it is needed for, empty for all of them. A list or watch is one of that name then.
	Name string
	// Needed tells rights without which the command cannot work from those without which it tells or does less.
	Needed  bool
	Allowed bool
}

func (r Right) String() string { return r.Verb + " " + r.Resource }

// Listed are objects of one sort, or why they could not be read.
type Listed[T any] struct {
	Items []T
	// More tells that there are others, which were not read.
	More bool
	Err  error
}

// Reference is an object that pods need.
type Reference struct {
	Kind, Name string
	// Keys are those that it has to have.
	Keys []string
	// OnePod tells of a claim that one pod may use at a time (ReadWriteOncePod).
	OnePod bool
	// Missing tells that there is no such object, MissingKeys which keys one that there is has not.
	Missing     bool
	MissingKeys []string
	Err         error
}

// Input is what is known of a workload as it is to become, and of its surroundings.
type Input struct {
	Workload Workload
	// Live is the workload as it is now, nil where it is to become what it is already.
	Live *Workload
	// Surge and Unavailable are the rollout's limits as numbers of pods.
	Surge, Unavailable int32

	Rights      Listed[Right]
	Quotas      Listed[corev1.ResourceQuota]
	LimitRanges Listed[corev1.LimitRange]
	Nodes       Listed[corev1.Node]
	// Taken is what runs on the nodes, nil where that was not looked at.
	Taken       *Taken
	Budgets     Listed[policyv1.PodDisruptionBudget]
	Autoscalers Listed[autoscalingv2.HorizontalPodAutoscaler]
	Services    Listed[corev1.Service]
	Others      Listed[Other]
	References  Listed[Reference]
	PullSecrets Listed[Reference]
	// Classes are the StorageClasses that the claim templates of a StatefulSet name.
	Classes Listed[Reference]
}

// Check makes all checks that there are for the kind of workload, in a fixed order.
func Check(in *Input) []Result {
	results := []Result{
		rights(in), imageReference(in), references(in), quotaRoom(in), limitRange(in), nodeRoom(in), disruptionBudget(in), autoscaler(in),
		readinessProbe(in), serviceSelects(in), selectorUnique(in), imageTag(in), drainTime(in), availability(in), progressDeadline(in),
		pullSecrets(in), updateStrategy(in), preStop(in),
	}
	if in.Workload.Kind == StatefulSet {
		results = append(results, serviceName(in), claimTemplates(in))
	}
	if in.Workload.Open != "" || in.Workload.Failed != "" {
		results = append(results, openRollout(in))
	}
	return results
}

// Failed are the results that stand against a rollout.
func Failed(results []Result) []Result {
	return slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.Status != Fail })
}

func ok(id, format string, arguments ...any) Result {
	return Result{ID: id, Status: OK, Message: fmt.Sprintf(format, arguments...)}
}

func warn(id, format string, arguments ...any) Result {
	return Result{ID: id, Status: Warn, Message: fmt.Sprintf(format, arguments...)}
}

func fail(id, format string, arguments ...any) Result {
	return Result{ID: id, Status: Fail, Message: fmt.Sprintf(format, arguments...)}
}

func skip(id string, err error) Result {
	return Result{ID: id, Status: Skip, Message: err.Error()}
}

// hasNone skips a check of what the kind of workload does not have.
func hasNone(id string, in *Input, what string) Result {
	return Result{ID: id, Status: Skip, Message: "a " + in.Workload.Kind + " has no " + what, OfOthers: true}
}
