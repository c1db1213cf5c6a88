package rollout

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// mostInWave bounds a wave, since an annotation holds its pods.
const mostInWave = 50

// surplus returns how many pods of a DaemonSet run where none should run any more, such as on nodes that are being
// drained. The status does not show which pods these are. They do not count towards the pods that may be missing.
func (st *otherStepper) surplus() int32 {
	set, is := st.Workload.(*appsv1.DaemonSet)
	if !is {
		return 0
	}
	return max(set.Status.NumberMisscheduled, int32(len(st.Pods))-st.replicas, 0) //nolint:gosec // pods of one workload
}

// unreachable counts the pods of a DaemonSet whose nodes are silent. They are missing already, and no pod takes their
// place. Every step but the last goes on without them.
type unreachable struct{ old, newer, ending int32 }

func (st *otherStepper) unreachable() (u unreachable) {
	for _, pod := range st.Pods {
		switch {
		case !diagnose.Silent(pod):
		case st.isNew(pod):
			u.newer++
		default:
			u.old++
		}
	}
	for _, pod := range st.Gone {
		if pod.DeletionTimestamp != nil && diagnose.Silent(pod) {
			u.ending++
		}
	}
	return u
}

// going returns the pods of the last wave and the deleted pods, as long as they are not known to be gone.
func (st *otherStepper) going() []*corev1.Pod {
	var going []*corev1.Pod
	for _, pod := range st.Pods {
		if st.deleted[pod.UID] || slices.Contains(st.record.Update.Wave, pod.UID) {
			going = append(going, pod)
		}
	}
	return going
}

// advanceDaemonSet deletes the pods that are left of the last wave, and otherwise chooses the next wave. A wave
// replaces no more pods than the step asks for, and no more than may be missing. Pods that are not available are
// missing already, and go first.
func (st *otherStepper) advanceDaemonSet() action {
	going := st.going()
	left := slices.DeleteFunc(slices.Clone(going), func(pod *corev1.Pod) bool { return st.deleted[pod.UID] })
	if len(left) > 0 {
		return replace{pods: left}
	}
	limit, err := st.record.Plan.Limits.unavailableOf(st.Workload)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}
	}
	available := -st.surplus()
	var old []*corev1.Pod
	wake := st.wake
	for _, pod := range st.Pods {
		if slices.Contains(going, pod) {
			continue
		}
		switch counted, due := countsAt(pod, st.minReadySeconds(), st.now); {
		case counted:
			available++
		case !due.IsZero():
			wake = earlier(wake, due)
		}
		if !st.isNew(pod) {
			old = append(old, pod)
		}
	}
	tooMany := int32(len(old)) - st.surplus() - (st.replicas - st.target) + st.unreachable().ending //nolint:gosec // pods of one workload
	wave := st.choose(old, min(tooMany, mostInWave), limit-(st.replicas-available))
	if len(wave) == 0 {
		return await{until: wake}
	}
	for _, pod := range going {
		wave = append(wave, pod.UID)
	}
	return chooseWave{step: st.record.Step, wave: wave}
}

// choose picks the pods of a wave. Arguments most and budget bound the number of all pods and of available pods in it.
func (st *otherStepper) choose(old []*corev1.Pod, most, budget int32) []types.UID {
	const silent = 3 // the node of a silent pod would start no other one
	rank := func(pod *corev1.Pod) int {
		ready, _ := availableAt(pod, st.minReadySeconds(), st.now)
		switch {
		case ready:
			return 1
		case diagnose.Silent(pod):
			return silent
		case diagnose.Excused(pod):
			return 2 // the pod is about to go, or to come back
		}
		return 0
	}
	slices.SortFunc(old, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Spec.NodeName, b.Spec.NodeName), cmp.Compare(a.Name, b.Name))
	})
	var wave []types.UID
	for _, pod := range old {
		if most <= 0 || rank(pod) == silent && !st.record.Last() {
			break // deleting silent pods would fill the step without any new pod
		}
		if rank(pod) == 1 {
			if budget <= 0 {
				continue
			}
			budget--
		}
		wave, most = append(wave, pod.UID), most-1
	}
	return wave
}
