package preflight

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
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
		return fail(Rights, "the right to %s in namespace %q is missing", strings.Join(needed, ", "), in.Deployment.Namespace)
	case len(wanted) > 0:
		return warn(Rights, "causes and logs are told less well without: %s", strings.Join(wanted, ", "))
	}
	return ok(Rights, "everything that the command does is allowed")
}

func references(in *Input) Result {
	var missing []string
	var unread error
	for _, r := range in.References {
		if r.Missing {
			missing = append(missing, r.Kind+" "+r.Name)
		}
		if r.Err != nil {
			unread = r.Err
		}
	}
	switch {
	case len(missing) > 0:
		return fail(References, "pods need what does not exist: %s", strings.Join(missing, ", "))
	case unread != nil:
		return skip(References, unread)
	}
	return ok(References, "all %d objects that pods need exist", len(in.References))
}

// requests is what one pod asks for, as a quota counts it.
func requests(spec *corev1.PodSpec, limits bool) corev1.ResourceList {
	sum := corev1.ResourceList{}
	for _, c := range spec.Containers {
		list := c.Resources.Requests
		if limits {
			list = c.Resources.Limits
		}
		for name, quantity := range list {
			total := sum[name]
			total.Add(quantity)
			sum[name] = total
		}
	}
	return sum
}

// quotaRoom compares what the surge takes with what quotas leave. Without room, old pods have to go first, if they may.
func quotaRoom(in *Input) Result {
	if in.Quotas.Err != nil {
		return skip(QuotaRoom, in.Quotas.Err)
	}
	spec := template(in)
	takes := map[corev1.ResourceName]resource.Quantity{corev1.ResourcePods: resource.MustParse("1"), "count/pods": resource.MustParse("1")}
	for name, quantity := range requests(spec, false) {
		takes[name], takes["requests."+name] = quantity, quantity
	}
	for name, quantity := range requests(spec, true) {
		takes["limits."+name] = quantity
	}
	for i := range in.Quotas.Items {
		quota := &in.Quotas.Items[i]
		if len(quota.Spec.Scopes) > 0 || quota.Spec.ScopeSelector != nil {
			continue
		}
		for name, hard := range quota.Status.Hard {
			one, counts := takes[name]
			if !counts {
				continue
			}
			room := hard.DeepCopy()
			room.Sub(quota.Status.Used[name])
			needed := one.DeepCopy()
			needed.Mul(int64(max(in.Surge, 1)))
			if room.Cmp(needed) >= 0 || in.Surge == 0 {
				continue
			}
			text := fmt.Sprintf("ResourceQuota %s leaves %s of %s, and the surge of %d takes %s", quota.Name, room.String(), name, in.Surge, needed.String())
			if in.Unavailable == 0 && room.Cmp(one) < 0 {
				return fail(QuotaRoom, "%s; with max-unavailable 0 no pod could be replaced", text)
			}
			return warn(QuotaRoom, "%s; the rollout is slower for it", text)
		}
	}
	return ok(QuotaRoom, "room for the surge of %d in %d quotas", in.Surge, len(in.Quotas.Items))
}

func limitRange(in *Input) Result {
	if in.LimitRanges.Err != nil {
		return skip(LimitRangeAllows, in.LimitRanges.Err)
	}
	for i := range in.LimitRanges.Items {
		object := &in.LimitRanges.Items[i]
		for _, item := range object.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			for _, c := range containers(template(in)) {
				for name, highest := range item.Max {
					if limit, set := c.Resources.Limits[name]; set && limit.Cmp(highest) > 0 {
						return fail(LimitRangeAllows, "LimitRange %s allows at most %s of %s, and container %s has a limit of %s",
							object.Name, highest.String(), name, c.Name, limit.String())
					}
				}
				for name, lowest := range item.Min {
					if request, set := c.Resources.Requests[name]; set && request.Cmp(lowest) < 0 {
						return fail(LimitRangeAllows, "LimitRange %s wants at least %s of %s, and container %s asks for %s",
							object.Name, lowest.String(), name, c.Name, request.String())
					}
				}
			}
		}
	}
	return ok(LimitRangeAllows, "%d LimitRanges allow such pods", len(in.LimitRanges.Items))
}

// nodeRoom looks for nodes that are large enough. What runs on them is not counted: that takes all pods of the cluster.
func nodeRoom(in *Input) Result {
	if in.Nodes.Err != nil {
		return skip(NodeRoom, in.Nodes.Err)
	}
	needs, fit := requests(template(in), false), 0
	selector := labels.SelectorFromSet(template(in).NodeSelector)
	for i := range in.Nodes.Items {
		node := &in.Nodes.Items[i]
		large := !node.Spec.Unschedulable && selector.Matches(labels.Set(node.Labels))
		for name, quantity := range needs {
			has, known := node.Status.Allocatable[name]
			large = large && known && has.Cmp(quantity) >= 0
		}
		if large {
			fit++
		}
	}
	if fit == 0 {
		return warn(NodeRoom, "none of %d nodes is large enough for a pod and has the labels it wants, unless one is added", len(in.Nodes.Items))
	}
	return ok(NodeRoom, "%d of %d nodes are large enough for a pod; what runs on them already is not counted", fit, len(in.Nodes.Items))
}

// selects tells whether a selector matches the pods of the Deployment.
func selects(in *Input, selector *metav1.LabelSelector) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && !parsed.Empty() && parsed.Matches(labels.Set(in.Deployment.Spec.Template.Labels))
}

func disruptionBudget(in *Input) Result {
	if in.Budgets.Err != nil {
		return skip(DisruptionBudget, in.Budgets.Err)
	}
	for i := range in.Budgets.Items {
		budget := &in.Budgets.Items[i]
		if !selects(in, budget.Spec.Selector) {
			continue
		}
		if left := replicas(in) - in.Unavailable; left < budget.Status.DesiredHealthy {
			return warn(DisruptionBudget, "PodDisruptionBudget %s wants %d healthy pods, and the rollout leaves %d: budgets do not bind rollouts",
				budget.Name, budget.Status.DesiredHealthy, left)
		}
		return ok(DisruptionBudget, "the rollout keeps what PodDisruptionBudget %s wants", budget.Name)
	}
	return ok(DisruptionBudget, "none selects the pods")
}

func autoscaler(in *Input) Result {
	if in.Autoscalers.Err != nil {
		return skip(Autoscaler, in.Autoscalers.Err)
	}
	for i := range in.Autoscalers.Items {
		hpa := &in.Autoscalers.Items[i]
		if target := hpa.Spec.ScaleTargetRef; target.Kind != "Deployment" || target.Name != in.Deployment.Name {
			continue
		}
		return warn(Autoscaler, "HorizontalPodAutoscaler %s may change replicas during the rollout, up to %d: percentages follow, counts stay",
			hpa.Name, hpa.Spec.MaxReplicas)
	}
	return ok(Autoscaler, "none scales the Deployment")
}

func serviceSelects(in *Input) Result {
	if in.Services.Err != nil {
		return skip(ServiceSelects, in.Services.Err)
	}
	var names []string
	for i := range in.Services.Items {
		s := &in.Services.Items[i]
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(in.Deployment.Spec.Template.Labels)) {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return warn(ServiceSelects, "no Service selects the pods: no traffic tells a good version from a bad one")
	}
	slices.Sort(names)
	return ok(ServiceSelects, "selected by %s", strings.Join(names[:min(len(names), noMoreThanListed)], ", "))
}

func selectorUnique(in *Input) Result {
	if in.Deployments.Err != nil {
		return skip(SelectorUnique, in.Deployments.Err)
	}
	for i := range in.Deployments.Items {
		other := &in.Deployments.Items[i]
		if other.Name != in.Deployment.Name && selects(in, other.Spec.Selector) {
			return warn(SelectorUnique, "the selector of Deployment %s matches these pods, too", other.Name)
		}
	}
	return ok(SelectorUnique, "no other Deployment's selector matches the pods")
}
