package preflight

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// podOf returns a pod as the API server creates it from a workload's template, as far as resources are concerned. A limit
// without a request also becomes the request. LimitRanges fill in missing values.
func podOf(in *Input, w *Workload) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *w.Template.ObjectMeta.DeepCopy(), Spec: *w.Template.Spec.DeepCopy()}
	for _, all := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range all {
			r := &all[i].Resources
			r.Requests, r.Limits = filled(r.Requests, r.Limits), filled(r.Limits, nil)
			for j := range in.LimitRanges.Items {
				for _, item := range in.LimitRanges.Items[j].Spec.Limits {
					if item.Type == corev1.LimitTypeContainer {
						r.Requests, r.Limits = filled(r.Requests, item.DefaultRequest), filled(r.Limits, item.Default)
					}
				}
			}
		}
	}
	return pod
}

// filled returns a list, extended by the entries that it lacks and defaults has.
func filled(list, defaults corev1.ResourceList) corev1.ResourceList {
	all := corev1.ResourceList{}
	maps.Copy(all, defaults)
	maps.Copy(all, list)
	return all
}

// requests returns the resources of a pod as the scheduler and quotas count them.
func requests(pod *corev1.Pod) corev1.ResourceList {
	return resource.PodRequests(pod, resource.PodResourcesOptions{})
}

func limits(pod *corev1.Pod) corev1.ResourceList {
	return resource.PodLimits(pod, resource.PodResourcesOptions{})
}
