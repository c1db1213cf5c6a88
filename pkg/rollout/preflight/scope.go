package preflight

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// covers reports whether a quota counts a pod, according to its scopes. A scope that is not known here does not exclude the
// pod.
func covers(quota *corev1.ResourceQuota, pod *corev1.Pod) bool {
	wanted := []corev1.ScopedResourceSelectorRequirement{}
	for _, scope := range quota.Spec.Scopes {
		wanted = append(wanted, corev1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: corev1.ScopeSelectorOpExists})
	}
	if quota.Spec.ScopeSelector != nil {
		wanted = append(wanted, quota.Spec.ScopeSelector.MatchExpressions...)
	}
	return !slices.ContainsFunc(wanted, func(scope corev1.ScopedResourceSelectorRequirement) bool { return !inScope(scope, pod) })
}

func inScope(scope corev1.ScopedResourceSelectorRequirement, pod *corev1.Pod) bool {
	switch scope.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return pod.Spec.ActiveDeadlineSeconds != nil
	case corev1.ResourceQuotaScopeNotTerminating:
		return pod.Spec.ActiveDeadlineSeconds == nil
	case corev1.ResourceQuotaScopeBestEffort:
		return isBestEffort(pod)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !isBestEffort(pod)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return false // such a quota counts only pods with affinity across namespaces, which few have
	case corev1.ResourceQuotaScopePriorityClass:
		class := pod.Spec.PriorityClassName
		switch scope.Operator {
		case corev1.ScopeSelectorOpIn:
			return slices.Contains(scope.Values, class)
		case corev1.ScopeSelectorOpNotIn:
			return !slices.Contains(scope.Values, class)
		case corev1.ScopeSelectorOpExists:
			return class != ""
		case corev1.ScopeSelectorOpDoesNotExist:
			return class == ""
		}
	}
	return true
}

// isBestEffort reports whether a pod has neither requests nor limits for CPU and memory.
func isBestEffort(pod *corev1.Pod) bool {
	for _, list := range []corev1.ResourceList{requests(pod), limits(pod)} {
		if !list.Cpu().IsZero() || !list.Memory().IsZero() {
			return false
		}
	}
	return true
}
