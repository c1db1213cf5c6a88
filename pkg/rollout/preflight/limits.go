package preflight

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// limitRange compares the pods' resources with the bounds of LimitRanges, for each container and for a pod as a whole.
func limitRange(in *Input) Result {
	if in.LimitRanges.Err != nil {
		return skip(LimitRangeAllows, in.LimitRanges.Err)
	}
	pod := podOf(in, &in.Workload)
	for i := range in.LimitRanges.Items {
		object := &in.LimitRanges.Items[i]
		for j := range object.Spec.Limits {
			if why := refusedBy(&object.Spec.Limits[j], pod); why != "" {
				return fail(LimitRangeAllows, "LimitRange %s %s", object.Name, why)
			}
		}
	}
	return ok(LimitRangeAllows, "%d LimitRanges allow such pods", len(in.LimitRanges.Items))
}

// refusedBy returns why a LimitRange refuses a pod, or "" if it allows it.
func refusedBy(item *corev1.LimitRangeItem, pod *corev1.Pod) string {
	switch item.Type {
	case corev1.LimitTypePod:
		return outside(item, "the pod", requests(pod), limits(pod))
	case corev1.LimitTypeContainer:
		for _, c := range containers(&pod.Spec) {
			if why := outside(item, "container "+c.Name, c.Resources.Requests, c.Resources.Limits); why != "" {
				return why
			}
		}
	}
	return ""
}

// outside returns what is out of bounds, or "" if nothing is. A resource with a bound has to be set.
func outside(item *corev1.LimitRangeItem, who string, requests, limits corev1.ResourceList) string {
	for _, name := range slices.Sorted(maps.Keys(item.Max)) {
		highest := item.Max[name]
		bound := fmt.Sprintf("allows at most %s of %s, and %s ", highest.String(), name, who)
		limit, limited := limits[name]
		request := requests[name]
		switch {
		case !limited:
			return bound + "has no limit"
		case limit.Cmp(highest) > 0:
			return bound + "has a limit of " + limit.String()
		case request.Cmp(highest) > 0:
			return bound + "asks for " + request.String()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(item.Min)) {
		lowest := item.Min[name]
		bound := fmt.Sprintf("wants at least %s of %s, and %s ", lowest.String(), name, who)
		limit, limited := limits[name]
		request, asked := requests[name]
		switch {
		case !asked:
			return bound + "asks for none"
		case request.Cmp(lowest) < 0:
			return bound + "asks for " + request.String()
		case limited && limit.Cmp(lowest) < 0:
			return bound + "has a limit of " + limit.String()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(item.MaxLimitRequestRatio)) {
		most, limit, request := item.MaxLimitRequestRatio[name], limits[name], requests[name]
		if limit.IsZero() || request.IsZero() || limit.AsApproximateFloat64() > most.AsApproximateFloat64()*request.AsApproximateFloat64() {
			return fmt.Sprintf("allows a limit of at most %s times the request of %s, and %s asks for %s with a limit of %s",
				most.String(), name, who, request.String(), limit.String())
		}
	}
	return ""
}
