package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// quotaRoom compares what the rollout takes, on its way and at the end, with what quotas leave. Without room for the surge, old
// pods have to go first, if they may.
func quotaRoom(in *Input) Result {
	if in.Quotas.Err != nil {
		return skip(QuotaRoom, in.Quotas.Err)
	}
	pod, live := podOf(in, &in.Workload), podOf(in, in.live())
	takes, took := counted(pod), counted(live)
	found, counts := ok(QuotaRoom, ""), 0
	for i := range in.Quotas.Items {
		quota := &in.Quotas.Items[i]
		if !covers(quota, pod) {
			continue
		}
		counts++
		if missing := unset(pod, quota); missing != "" && in.LimitRanges.Err == nil {
			return fail(QuotaRoom, "ResourceQuota %s counts %s: a pod that does not set it is refused", quota.Name, missing)
		}
		frees := covers(quota, live)
		for _, name := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
			r := room{in: in, quota: quota.Name, name: string(name), one: takes[name]}
			r.left = quota.Status.Hard[name].DeepCopy()
			r.left.Sub(quota.Status.Used[name])
			if frees {
				r.old = took[name]
			}
			switch judged := r.judge(); judged.Status {
			case Fail:
				return judged
			case Warn:
				found = judged
			}
		}
	}
	if found.Status == OK {
		return ok(QuotaRoom, "room for the surge of %d in %d quotas", in.Surge, counts)
	}
	return found
}

// counted returns what a quota counts for a pod.
func counted(pod *corev1.Pod) corev1.ResourceList {
	takes := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1"), "count/pods": resource.MustParse("1")}
	for name, quantity := range requests(pod) {
		takes[name], takes["requests."+name] = quantity, quantity
	}
	for name, quantity := range limits(pod) {
		takes["limits."+name] = quantity
	}
	return takes
}

// room is what a quota leaves of one resource. A new pod takes one, and an old pod has taken old.
type room struct {
	in             *Input
	quota, name    string
	left, one, old resource.Quantity
}

func (r *room) judge() Result {
	if r.one.IsZero() {
		return ok(QuotaRoom, "") // even an exceeded quota refuses no pod that takes nothing
	}
	in := r.in
	before, after := in.live().Replicas, in.Workload.Replicas
	free := plus(r.left, r.old, max(before-after, 0)) // pods that are not replaced go at once
	end := plus(plus(r.left, r.old, before), r.one, -after)
	takes, surge := plus(resource.Quantity{}, r.one, in.Surge+max(after-before, 0)), fmt.Sprintf("the surge of %d takes", in.Surge)
	if after > before {
		surge = fmt.Sprintf("%d pods more and the surge of %d take", after-before, in.Surge)
	}
	on := fmt.Sprintf("ResourceQuota %s leaves %s of %s", r.quota, r.left.String(), r.name)
	if r.left.Sign() < 0 {
		on = fmt.Sprintf("ResourceQuota %s is exceeded by %s of %s", r.quota, strings.TrimPrefix(r.left.String(), "-"), r.name)
	}
	freed := plus(free, r.old, in.Unavailable)
	switch {
	case freed.Cmp(r.one) < 0 && in.Unavailable == 0 && (in.Surge > 0 || after > before):
		return fail(QuotaRoom, "%s, and a new pod takes %s; with max-unavailable 0 no pod could be replaced", on, r.one.String())
	case freed.Cmp(r.one) < 0 && in.Unavailable > 0:
		return fail(QuotaRoom, "%s, and a new pod takes %s: a pod that goes to be replaced could not come again", on, r.one.String())
	case r.left.Sign() < 0:
		return warn(QuotaRoom, "%s: a pod that goes to be replaced may not come again, should the old version have to return", on)
	case end.Sign() < 0:
		return warn(QuotaRoom, "%s, and all %d new pods take %s more than that and what old ones give back: the rollout does not come to its end",
			on, after, strings.TrimPrefix(end.String(), "-"))
	case free.Cmp(takes) < 0:
		return warn(QuotaRoom, "%s, and %s %s; the rollout is slower for it", on, surge, takes.String())
	}
	return ok(QuotaRoom, "")
}

// plus returns a quantity plus a multiple of another one.
func plus(quantity, other resource.Quantity, times int32) resource.Quantity {
	sum := other.DeepCopy()
	sum.Mul(int64(times))
	sum.Add(quantity)
	return sum
}

// unset returns what a quota counts but a container does not set. The API server requires that only for CPU and memory.
func unset(pod *corev1.Pod, quota *corev1.ResourceQuota) string {
	if pod.Spec.Resources != nil {
		return "" // resources are set for the pod as a whole
	}
	for _, name := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
		plain := corev1.ResourceName(strings.TrimPrefix(strings.TrimPrefix(string(name), "requests."), "limits."))
		if plain != corev1.ResourceCPU && plain != corev1.ResourceMemory {
			continue
		}
		for _, c := range containers(&pod.Spec) {
			set := c.Resources.Requests
			if strings.HasPrefix(string(name), "limits.") {
				set = c.Resources.Limits
			}
			if _, is := set[plain]; !is {
				return fmt.Sprintf("%s, and container %s sets none", name, c.Name)
			}
		}
	}
	return ""
}
