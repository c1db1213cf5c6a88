package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// quotaRoom compares what the surge takes with what quotas leave. Without room, old pods have to go first, if they may.
func quotaRoom(in *Input) Result {
	if in.Quotas.Err != nil {
		return skip(QuotaRoom, in.Quotas.Err)
	}
	pod := podOf(in)
	takes := map[corev1.ResourceName]resource.Quantity{corev1.ResourcePods: resource.MustParse("1"), "count/pods": resource.MustParse("1")}
	for name, quantity := range requests(pod) {
		takes[name], takes["requests."+name] = quantity, quantity
	}
	for name, quantity := range limits(pod) {
		takes["limits."+name] = quantity
	}
	found, counted := ok(QuotaRoom, ""), 0
	for i := range in.Quotas.Items {
		quota := &in.Quotas.Items[i]
		if !covers(quota, pod) {
			continue
		}
		counted++
		if missing := unset(pod, quota); missing != "" && in.LimitRanges.Err == nil {
			return fail(QuotaRoom, "ResourceQuota %s counts %s: a pod that does not set it is refused", quota.Name, missing)
		}
		for _, name := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
			one, counts := takes[name]
			if !counts {
				continue
			}
			left := quota.Status.Hard[name].DeepCopy()
			left.Sub(quota.Status.Used[name])
			r := in.room(quota.Name, string(name), left, one)
			if r.Status == Fail {
				return r
			}
			if r.Status == Warn {
				found = r
			}
		}
	}
	if found.Status == OK {
		return ok(QuotaRoom, "room for the surge of %d in %d quotas", in.Surge, counted)
	}
	return found
}

// room judges what a quota leaves of one resource.
func (in *Input) room(quota, name string, left, one resource.Quantity) Result {
	needed, freed := one.DeepCopy(), one.DeepCopy()
	needed.Mul(int64(in.Surge))
	freed.Mul(int64(in.Unavailable))
	freed.Add(left)
	switch {
	case one.IsZero():
		return ok(QuotaRoom, "") // even a quota that is exceeded refuses no pod that takes nothing
	case in.Unavailable > 0 && left.Sign() < 0 && freed.Cmp(one) < 0:
		return fail(QuotaRoom, "ResourceQuota %s is exceeded by %s of %s: a pod that goes to be replaced could not come again, of neither version",
			quota, strings.TrimPrefix(left.String(), "-"), name)
	case left.Sign() < 0 && in.Surge == 0:
		return warn(QuotaRoom, "ResourceQuota %s is exceeded by %s of %s: a pod that is to be replaced may not come again",
			quota, strings.TrimPrefix(left.String(), "-"), name)
	case in.Surge == 0 || left.Cmp(needed) >= 0:
		return ok(QuotaRoom, "")
	}
	text := fmt.Sprintf("ResourceQuota %s leaves %s of %s, and the surge of %d takes %s", quota, left.String(), name, in.Surge, needed.String())
	if in.Unavailable == 0 && left.Cmp(one) < 0 {
		return fail(QuotaRoom, "%s; with max-unavailable 0 no pod could be replaced", text)
	}
	return warn(QuotaRoom, "%s; the rollout is slower for it", text)
}

// unset is what a quota counts and a container does not set. The API server wants that of CPU and memory alone.
func unset(pod *corev1.Pod, quota *corev1.ResourceQuota) string {
	if pod.Spec.Resources != nil {
		return "" // set for the pod as a whole
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
