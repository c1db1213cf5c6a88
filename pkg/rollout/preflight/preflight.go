// Package preflight looks for trouble before a rollout begins. It is pure: its callers fetch what it looks at.
package preflight

import (
	"fmt"
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// Status is the outcome of a check.
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
	// Manifest is for callers that read a manifest. It reports what the manifest asks for but a rollout does not do.
	Manifest          = "Manifest"
	noMoreThanListed  = 5
	defaultTerminates = 30
)

// Result is the result of one check.
type Result struct {
	ID     string
	Status Status
	// Message says what the check found, or why it was skipped.
	Message string
	// OfOthers says that the check was skipped because it applies to other kinds of workloads.
	OfOthers bool
}

// Right is a permission for something that the command will do.
type Right struct {
	Verb, Group, Resource string
	// Name is the only object for which the right is needed, or empty for all objects. A list or watch is then limited to that
	// name.
	Name string
	// Needed says that the command cannot work without the right. Without other rights it reports or does less.
	Needed  bool
	Allowed bool
}

func (r Right) String() string { return r.Verb + " " + r.Resource }

// Listed holds objects of one type, or the error from reading them.
type Listed[T any] struct {
	Items []T
	// More says that there are further objects, which were not read.
	More bool
	Err  error
}

// Reference is an object that pods need.
type Reference struct {
	Kind, Name string
	// Keys are the keys that the object must have.
	Keys []string
	// OnePod says that the object is a claim that only one pod may use at a time (ReadWriteOncePod).
	OnePod bool
	// Missing says that the object does not exist. MissingKeys are the keys that an existing object lacks.
	Missing     bool
	MissingKeys []string
	Err         error
}

// Input is what is known about a workload as it is to become, and about its surroundings.
type Input struct {
	Workload Workload
	// Live is the workload as it is now, or nil if that is the same as Workload.
	Live *Workload
	// Surge and Unavailable are the rollout's limits as numbers of pods.
	Surge, Unavailable int32

	Rights      Listed[Right]
	Quotas      Listed[corev1.ResourceQuota]
	LimitRanges Listed[corev1.LimitRange]
	Nodes       Listed[corev1.Node]
	// Taken is what runs on the nodes, or nil if that was not read.
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

// Check runs all checks for the kind of workload, in a fixed order.
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

// Failed returns the results that speak against a rollout.
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

// hasNone skips a check about something that the kind of workload does not have.
func hasNone(id string, in *Input, what string) Result {
	return Result{ID: id, Status: Skip, Message: "a " + in.Workload.Kind + " has no " + what, OfOthers: true}
}
