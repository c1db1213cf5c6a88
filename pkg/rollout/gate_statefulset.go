package rollout

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// statefulSetGate holds a StatefulSet by the partition of its update strategy: the pods below it keep their version.
type statefulSetGate struct{ updateGate }

// partition is the opening of a StatefulSet.
type partition int32

func (partition) isOpening() {}

// size leaves out the pods that a StatefulSet keeps by its own partition.
func (statefulSetGate) size(w workload.Object, r *Record) int32 { return stepped(w, r.Update) }

// counted leaves out the pods above the replica count, which are still to be deleted.
func (statefulSetGate) counted(s *Snapshot) (pods []*corev1.Pod, most int32) {
	set, is := s.Workload.(*appsv1.StatefulSet)
	if !is {
		return s.Pods, unlimited
	}
	end := startOf(set) + workload.PodCountsOf(set).Desired
	return slices.DeleteFunc(slices.Clone(s.Pods), func(pod *corev1.Pod) bool { return ordinalOf(set, pod) >= int(end) }), unlimited
}

// done also wants those new pods ready that there are beyond the step, because replicas changed in mid-step.
func (g statefulSetGate) done(st *step, _ bool) bool {
	open := g.open(st)
	return open >= st.target && st.counts.NewReady >= max(st.target, st.counts.New, open)
}

// open returns how many pods the partition lets be new.
func (statefulSetGate) open(st *step) int32 {
	return max(workload.PodCountsOf(st.Workload).Desired-*st.record.Update.Partition, 0)
}

// advance lowers the partition. It never raises it, since the pods above are new already. It moves pod by pod: left alone, the
// controller goes on as soon as a pod is ready, though the pod may have crashed a moment before.
func (g statefulSetGate) advance(st *step, m memory) (action, memory) {
	return g.lower(st), st.interrupt(m)
}

// follow keeps the partition if the limits let no further pod go yet.
func (g statefulSetGate) follow(st *step) action {
	next := st.at(st.record.Step + 1)
	return next.keepOpening(g.lower(next))
}

func (g statefulSetGate) lower(st *step) action {
	kept, err := st.record.Update.kept()
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}
	}
	open, wake := g.openable(st)
	if lower := max(workload.PodCountsOf(st.Workload).Desired-open, kept); lower < *st.record.Update.Partition {
		return move{step: st.record.Step, to: partition(lower)}
	}
	return await{until: wake}
}

// openable returns how many pods may be new or on their way to it, and when more may be. A pod that is not ready serves nobody,
// so that replacing it costs nothing.
func (g statefulSetGate) openable(st *step) (open int32, wake time.Time) {
	missing, wake := g.missing(st)
	ready := map[int]bool{}
	set, _ := st.Workload.(*appsv1.StatefulSet)
	pods, _ := g.counted(st.Snapshot)
	for _, pod := range pods {
		ready[ordinalOf(set, pod)], _ = workload.ReadySince(pod)
	}
	open = g.open(st)
	for budget := st.limits.Unavailable - missing; open < st.target; open++ {
		if ready[int(startOf(set)+workload.PodCountsOf(set).Desired-1-open)] {
			if budget <= 0 {
				break
			}
			budget--
		}
	}
	return open, wake
}

// missing returns how many pods are not available, and when fewer may be. Old pods that the partition lets the controller
// replace count as missing, since they are about to go.
func (g statefulSetGate) missing(st *step) (int32, time.Time) {
	var available int32
	wake := st.wake
	set, _ := st.Workload.(*appsv1.StatefulSet)
	pods, _ := g.counted(st.Snapshot)
	for _, pod := range pods {
		is, due := countsAt(pod, set.Spec.MinReadySeconds, st.now)
		switch {
		case is && (st.isNew(pod) || ordinalOf(set, pod) < firstUpdated(set)):
			available++
		case !is && !due.IsZero():
			wake = earlier(wake, due)
		}
	}
	return workload.PodCountsOf(st.Workload).Desired - available, wake
}

// hasLeftKept reports whether pods that a StatefulSet's own partition keeps run the rollout's version, or are going to.
// This happens after the StatefulSet was scaled to 0 and back: its controller then takes the update revision for the
// current one, and makes the pods below the partition from it.
func (s *Snapshot) hasLeftKept(record *Record) bool {
	set, is := s.Workload.(*appsv1.StatefulSet)
	kept, err := record.Update.kept()
	if !is || err != nil || kept == 0 {
		return false
	}
	isLeft := func(revision string) bool {
		return revision != record.From.ControllerRevision && s.numbers[revision] >= record.ToRevision
	}
	end := int(startOf(set)) + int(min(kept, workload.PodCountsOf(set).Desired))
	for _, pod := range s.Pods {
		if ordinal := ordinalOf(set, pod); ordinal >= 0 && ordinal < end && isLeft(pod.Labels[appsv1.ControllerRevisionHashLabelKey]) {
			return true
		}
	}
	return isLeft(set.Status.CurrentRevision)
}
