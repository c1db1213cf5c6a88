package preflight

import (
	"errors"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func rights(in *Input) Result {
	if in.Rights.Err != nil {
		return skip(Rights, in.Rights.Err)
	}
	var needed, wanted []string
	for _, right := range in.Rights.Items {
		switch {
		case right.Allowed:
		case right.Needed:
			needed = append(needed, right.String())
		default:
			wanted = append(wanted, right.String())
		}
	}
	switch {
	case len(needed) > 0:
		return fail(Rights, "the right to %s in namespace %q is missing", strings.Join(needed, ", "), in.Workload.Namespace)
	case len(wanted) > 0 && in.Workload.Kind == Deployment:
		return warn(Rights, "causes and logs are told less well without: %s", strings.Join(wanted, ", "))
	case len(wanted) > 0:
		return warn(Rights, "--wait, causes and logs do not work, or not so well, without: %s", strings.Join(wanted, ", "))
	}
	return ok(Rights, "everything that the command does is allowed")
}

// disruptionBudget compares the pods that the rollout keeps with those that each budget wants. A budget may also cover pods of
// other workloads.
func disruptionBudget(in *Input) Result {
	if in.Budgets.Err != nil {
		return skip(DisruptionBudget, in.Budgets.Err)
	}
	found := ok(DisruptionBudget, "none selects the pods")
	for i := range in.Budgets.Items {
		budget := &in.Budgets.Items[i]
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector) // an empty selector selects all pods of the namespace
		if err != nil || !selector.Matches(labels.Set(in.Workload.Template.Labels)) {
			continue
		}
		if left := max(in.Workload.Replicas, budget.Status.ExpectedPods) - in.Unavailable; left < budget.Status.DesiredHealthy {
			return warn(DisruptionBudget, "PodDisruptionBudget %s wants %d healthy pods, and the rollout leaves %d: budgets do not bind rollouts",
				budget.Name, budget.Status.DesiredHealthy, left)
		}
		found = ok(DisruptionBudget, "the rollout keeps what PodDisruptionBudget %s wants", budget.Name)
	}
	return found
}

func autoscaler(in *Input) Result {
	w := &in.Workload
	if w.Kind == DaemonSet {
		return hasNone(Autoscaler, in, "replicas to scale")
	}
	if in.Autoscalers.Err != nil {
		return skip(Autoscaler, in.Autoscalers.Err)
	}
	for i := range in.Autoscalers.Items {
		hpa := &in.Autoscalers.Items[i]
		if target := hpa.Spec.ScaleTargetRef; target.Kind != w.Kind || target.Name != w.Name {
			continue
		}
		text := "HorizontalPodAutoscaler %s may change replicas during the rollout, up to %d"
		if w.Kind == Deployment {
			text += ": percentages follow, counts stay"
		}
		return warn(Autoscaler, text, hpa.Name, hpa.Spec.MaxReplicas)
	}
	return ok(Autoscaler, "none scales the %s", w.Kind)
}

func serviceSelects(in *Input) Result {
	if in.Services.Err != nil {
		return skip(ServiceSelects, in.Services.Err)
	}
	var names []string
	for i := range in.Services.Items {
		s := &in.Services.Items[i]
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(in.Workload.Template.Labels)) {
			names = append(names, s.Name)
		}
	}
	switch {
	case len(names) > 0:
		slices.Sort(names)
		return ok(ServiceSelects, "selected by %s", strings.Join(names[:min(len(names), noMoreThanListed)], ", "))
	case in.Services.More:
		return skip(ServiceSelects, errors.New("not all Services were looked at"))
	case in.Workload.Kind == DaemonSet:
		return ok(ServiceSelects, "no Service selects the pods, and those of a DaemonSet seldom need one")
	}
	return warn(ServiceSelects, "no Service selects the pods: no traffic tells a good version from a bad one")
}

// selectorUnique looks for workloads that would take each other's pods for their own.
func selectorUnique(in *Input) Result {
	if in.Others.Err != nil {
		return skip(SelectorUnique, in.Others.Err)
	}
	w := &in.Workload
	for i := range in.Others.Items {
		other := &in.Others.Items[i]
		switch {
		case other.Kind == w.Kind && other.Name == w.Name:
		case matches(other.Selector, w.Template.Labels):
			return warn(SelectorUnique, "the selector of %s %s matches these pods, too", other.Kind, other.Name)
		case matches(w.Selector, other.Labels):
			return warn(SelectorUnique, "the selector matches the pods of %s %s, too", other.Kind, other.Name)
		}
	}
	if in.Others.More {
		return skip(SelectorUnique, errors.New("not all workloads of the namespace were looked at"))
	}
	return ok(SelectorUnique, "no other selector matches the pods")
}
