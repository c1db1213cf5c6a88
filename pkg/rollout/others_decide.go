package rollout

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

type (
	// openTo lowers a StatefulSet's partition, and moves the record's step with it.
	openTo struct {
		step      int
		partition int32
	}
	// chooseWave notes which pods of a DaemonSet to replace next.
	chooseWave struct {
		step int
		wave []types.UID
	}
	// replace deletes the pods of a wave.
	replace struct{ pods []*corev1.Pod }
	// unblock deletes pods that a StatefulSet waits for in vain.
	unblock struct{ pods []*corev1.Pod }
)

func (openTo) isAction()     {}
func (chooseWave) isAction() {}
func (replace) isAction()    {}
func (unblock) isAction()    {}

// otherStepper is one decision about the open rollout of a StatefulSet or DaemonSet.
type otherStepper struct {
	*Snapshot
	record *Record
	// replicas is the number of pods that the steps apply to. target is how many of them are new after this step.
	replicas, target int32
	counts           Counts
	wake, now        time.Time
}

// decideOther decides what to do about the open rollout of a StatefulSet or DaemonSet. finding is the fatal finding
// about its pods, or nil.
func decideOther(s *Snapshot, record *Record, finding *Finding, m memory, now time.Time) (action, memory) {
	m = m.enter(s.StaleSince, record.Step, now)
	switch {
	case !s.StaleSince.IsZero():
		return await{}, m
	case !record.Update.holds(s.Workload):
		return s.reclaims(record, m)
	}
	m.inForce = true
	switch {
	case record.Held:
		return stop{outcome: Paused, message: "the rollout is held at its step"}, m
	case s.Newest == nil:
		return await{}, m
	case s.Newest.Revision != record.ToRevision:
		return foreignRevision(s, record), m
	}
	st := s.otherStepper(record, now)
	m = m.sized(st.replicas)
	if finding == nil {
		finding = m.lost(s.newPods(), suspectsOf(s.Workload, nil), now)
	}
	switch {
	case finding != nil && record.Plan.OnFailure == OnFailureHold && finding.ID != diagnose.HashCollision:
		return stop{outcome: Failed, finding: finding}, m
	case finding != nil:
		return goBack{finding: finding}, m
	case st.done(!m.heldSince.IsZero()):
		return st.next(m)
	}
	m = m.unhold(now)
	return st.advance(), m
}

// foreignRevision responds to a template that is not the rollout's. The old version's template ends the rollout, and
// any other one stops it.
func foreignRevision(s *Snapshot, record *Record) action {
	switch {
	case s.Newest.Name == record.From.ControllerRevision && (record.Update.Paced || s.hasLeftKept(record)):
		return goBack{why: setBack(s.Workload, record)} // the way back keeps the limits that were asked for, and includes all pods
	case s.Newest.Name == record.From.ControllerRevision:
		return finish{outcome: RolledBack, why: setBack(s.Workload, record)}
	}
	return stop{outcome: Overtaken, message: fmt.Sprintf("the pod template was changed%s during the rollout, to revision %d where revision %d was under way",
		lastWriter(s.Workload), s.Newest.Revision, record.ToRevision)}
}

// opened returns how many pods of a StatefulSet its partition lets be new.
func (st *otherStepper) opened() int32 {
	return max(PodCountsOf(st.Workload).Desired-*st.record.Update.Partition, 0)
}

// wanted returns the pods without those above the replica count of a StatefulSet, which are still to be deleted.
func (st *otherStepper) wanted() []*corev1.Pod {
	set, is := st.Workload.(*appsv1.StatefulSet)
	if !is {
		return st.Pods
	}
	end := startOf(set) + PodCountsOf(set).Desired
	return slices.DeleteFunc(slices.Clone(st.Pods), func(pod *corev1.Pod) bool { return ordinalOf(set, pod) >= int(end) })
}

// done reports whether all new pods of the step exist and are truly ready. When replicas change in mid-step, there may
// be more new pods than the step asks for. These have to be ready too. Exceptions are pods on nodes that join during a
// hold, and pods on nodes that are lost.
func (st *otherStepper) done(held bool) bool {
	wanted := st.target
	if st.record.Update.Partition != nil {
		return st.opened() >= st.target && st.counts.NewReady >= max(wanted, st.counts.New, st.opened())
	}
	for _, pod := range st.newPods() {
		if ready, _ := readySince(pod); !held && !ready && !diagnose.Excused(pod) {
			return false
		}
	}
	unreachable := st.unreachable()
	if !st.record.Last() {
		wanted = min(wanted, st.replicas-unreachable.old-unreachable.ending) - unreachable.newer
	}
	return st.counts.NewReady >= wanted && st.counts.Old-unreachable.old-st.surplus() <= st.replicas-st.target && len(st.going()) == 0
}

// next goes from a finished step to its hold, to the next step, or to the end.
func (st *otherStepper) next(m memory) (action, memory) {
	if st.replicas == 0 && m.heldSince.IsZero() {
		return m.emptied(st.Workload), m
	}
	if hold := st.record.Plan.Hold.Duration; hold > 0 {
		var end time.Time
		m, end = m.hold(hold, func() map[types.UID]int32 { return restartsOf(st.Pods, st.isNew) }, st.now)
		if until := inSeconds(end); !st.record.HoldUntil.Equal(&until) {
			return noteHold{until: until}, m
		}
		if st.now.Before(end) {
			return await{until: end}, m
		}
	}
	if st.replicas == 0 {
		return m.emptied(st.Workload), m
	}
	if !st.record.Last() {
		following := *st
		step := *st.record
		step.Step++
		following.record, following.target = &step, step.Target(st.replicas)
		next := following.advance()
		if _, waits := next.(await); waits {
			next = following.stay()
		}
		return next, m
	}
	var until time.Time
	if m, until = m.settlingOf(st.newPods(), st.now); st.now.Before(until) {
		return await{until: until}, m
	}
	m.reached = true
	return finish{outcome: Done}, m
}

// stay moves the record's step and nothing else.
func (st *otherStepper) stay() action {
	if partition := st.record.Update.Partition; partition != nil {
		return openTo{step: st.record.Step, partition: *partition}
	}
	return chooseWave{step: st.record.Step, wave: st.record.Update.Wave}
}

// advance replaces more pods if the limits allow it.
func (st *otherStepper) advance() action {
	if st.record.Update.Partition != nil {
		return st.advanceStatefulSet()
	}
	return st.advanceDaemonSet()
}

// advanceStatefulSet lowers the partition. It never raises it, since the pods above are new already. It moves pod by
// pod: left alone, the controller goes on as soon as a pod is ready, though the pod may have crashed a moment before.
func (st *otherStepper) advanceStatefulSet() action {
	kept, err := st.record.Update.kept()
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}
	}
	limit, err := st.record.Plan.Limits.unavailableOf(st.Workload)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}
	}
	open, wake := st.openable(limit)
	if partition := max(PodCountsOf(st.Workload).Desired-open, kept); partition < *st.record.Update.Partition {
		return openTo{step: st.record.Step, partition: partition}
	}
	return await{until: wake}
}

// openable returns how many pods of a StatefulSet may be new or on their way to it, and when more may be. A pod that is
// not ready serves nobody, so that replacing it costs nothing.
func (st *otherStepper) openable(limit int32) (open int32, wake time.Time) {
	missing, wake := st.missing()
	ready := map[int]bool{}
	set, _ := st.Workload.(*appsv1.StatefulSet)
	for _, pod := range st.wanted() {
		ready[ordinalOf(set, pod)], _ = readySince(pod)
	}
	open = st.opened()
	for budget := limit - missing; open < st.target; open++ {
		if ready[int(startOf(set)+PodCountsOf(set).Desired-1-open)] {
			if budget <= 0 {
				break
			}
			budget--
		}
	}
	return open, wake
}

// missing returns how many pods of a StatefulSet are not available, and when fewer may be. Old pods that the partition
// lets the controller replace count as missing, since they are about to go.
func (st *otherStepper) missing() (int32, time.Time) {
	var available int32
	wake := st.wake
	set, _ := st.Workload.(*appsv1.StatefulSet)
	for _, pod := range st.wanted() {
		is, due := countsAt(pod, st.minReadySeconds(), st.now)
		switch {
		case is && (st.isNew(pod) || ordinalOf(set, pod) < firstUpdated(set)):
			available++
		case !is && !due.IsZero():
			wake = earlier(wake, due)
		}
	}
	return PodCountsOf(st.Workload).Desired - available, wake
}
