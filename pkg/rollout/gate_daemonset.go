package rollout

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// mostInWave bounds a wave, since an annotation holds its pods.
const mostInWave = 50

// daemonSetGate holds a DaemonSet by the update strategy OnDelete. The rollout deletes its pods in waves.
type daemonSetGate struct{ updateGate }

// wave is the opening of a DaemonSet: the pods that were chosen last to be replaced.
type wave []types.UID

func (wave) isOpening() {}

func (daemonSetGate) size(w workload.Object, _ *Record) int32 { return workload.PodCountsOf(w).Desired }

func (daemonSetGate) counted(s *Snapshot) (pods []*corev1.Pod, most int32) { return s.Pods, unlimited }

// done wants those new pods ready, too, that there are beyond the step. Exceptions are pods on nodes that join during a hold,
// and pods on nodes that are lost.
func (g daemonSetGate) done(st *step, held bool) bool {
	for _, pod := range st.newPods() {
		if ready, _ := workload.ReadySince(pod); !held && !ready && !diagnose.Excused(pod) {
			return false
		}
	}
	wanted, unreachable := st.target, st.unreachable()
	if !st.record.Last() {
		wanted = min(wanted, st.replicas-unreachable.old-unreachable.ending) - unreachable.newer
	}
	return st.counts.NewReady >= wanted && st.counts.Old-unreachable.old-g.surplus(st) <= st.replicas-st.target && len(g.going(st)) == 0
}

// advance deletes the pods that are left of the last wave, and otherwise chooses the next wave.
func (g daemonSetGate) advance(st *step, m memory) (action, memory) {
	return g.replace(st), st.interrupt(m)
}

// follow keeps the wave if the limits let no further pod go yet.
func (g daemonSetGate) follow(st *step) action {
	next := st.at(st.record.Step + 1)
	return next.keepOpening(g.replace(next))
}

// surplus returns how many pods of a DaemonSet run where none should run any more, such as on nodes that are being
// drained. The status does not show which pods these are. They do not count towards the pods that may be missing.
func (daemonSetGate) surplus(st *step) int32 {
	set, is := st.Workload.(*appsv1.DaemonSet)
	if !is {
		return 0
	}
	return max(set.Status.NumberMisscheduled, int32(len(st.Pods))-st.replicas, 0) //nolint:gosec // pods of one workload
}

// unreachable counts the pods of a DaemonSet whose nodes are silent. They are missing already, and no pod takes their
// place. Every step but the last goes on without them.
type unreachable struct{ old, newer, ending int32 }

func (st *step) unreachable() (u unreachable) {
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
func (daemonSetGate) going(st *step) []*corev1.Pod {
	var going []*corev1.Pod
	for _, pod := range st.Pods {
		if st.deleted[pod.UID] || slices.Contains(st.record.Update.Wave, pod.UID) {
			going = append(going, pod)
		}
	}
	return going
}

// replace returns the wave to delete or to choose. A wave replaces no more pods than the step asks for, and no more than may be
// missing. Pods that are not available are missing already, and go first.
func (g daemonSetGate) replace(st *step) action {
	going := g.going(st)
	left := slices.DeleteFunc(slices.Clone(going), func(pod *corev1.Pod) bool { return st.deleted[pod.UID] })
	if len(left) > 0 {
		return replace{pods: left}
	}
	available := -g.surplus(st)
	var old []*corev1.Pod
	wake := st.wake
	for _, pod := range st.Pods {
		if slices.Contains(going, pod) {
			continue
		}
		switch counted, due := countsAt(pod, workload.MinReadySecondsOf(st.Workload), st.now); {
		case counted:
			available++
		case !due.IsZero():
			wake = earlier(wake, due)
		}
		if !st.isNew(pod) {
			old = append(old, pod)
		}
	}
	tooMany := int32(len(old)) - g.surplus(st) - (st.replicas - st.target) + st.unreachable().ending //nolint:gosec // pods of one workload
	chosen := st.choose(old, min(tooMany, mostInWave), st.limits.Unavailable-(st.replicas-available))
	if len(chosen) == 0 {
		return await{until: wake}
	}
	for _, pod := range going {
		chosen = append(chosen, pod.UID)
	}
	return move{step: st.record.Step, to: chosen}
}

// choose picks the pods of a wave. Arguments most and budget bound the number of all pods and of available pods in it.
func (st *step) choose(old []*corev1.Pod, most, budget int32) wave {
	const silent = 3 // the node of a silent pod would start no other one
	rank := func(pod *corev1.Pod) int {
		ready, _ := workload.AvailableAt(pod, workload.MinReadySecondsOf(st.Workload), st.now)
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
	var chosen wave
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
		chosen, most = append(chosen, pod.UID), most-1
	}
	return chosen
}
