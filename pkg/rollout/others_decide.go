package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

type (
	// openTo lowers a StatefulSet's partition, and moves the record's step with it.
	openTo struct {
		step      int
		partition int32
	}
	// chooseWave notes which pods of a DaemonSet are to be replaced next.
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

// mostInWave bounds a wave, whose pods are noted in an annotation.
const mostInWave = 50

// otherStepper is one decision about the open rollout of a StatefulSet or DaemonSet.
type otherStepper struct {
	*other
	record *Record
	// replicas are the pods that the steps are of, and target those that are to be new after this one.
	replicas, target int32
	counts           Counts
	wake, now        time.Time
}

// decideOther says what to do about the open rollout of a StatefulSet or DaemonSet. The finding is what a diagnosis of its
// pods calls fatal.
func decideOther(o *other, record *Record, finding *Finding, m memory, now time.Time) (action, memory) {
	m = m.enter(o.staleSince, record.Step, now)
	switch {
	case !o.staleSince.IsZero():
		return await{}, m
	case record.Held:
		return stop{outcome: Paused, message: "the rollout is held at its step"}, m
	case !record.Update.holds(o.workload):
		return part{"the update strategy that holds the rollout at its step was changed" + lastWriter(o.workload) +
			"; the controller goes on by itself"}, m
	case o.newest == nil:
		return await{}, m
	case o.newest.Revision != record.ToRevision:
		return foreignRevision(o, record), m
	}
	st := otherStepper{other: o, record: record, replicas: stepped(o.workload, record.Update), now: now}
	st.target = record.Target(st.replicas)
	st.counts, st.wake = countPods(o.pods, o.isNew, o.minReadySeconds(), now)
	if finding == nil {
		finding = m.lost(o.newPods(), suspectsOf(o.workload, nil))
	}
	switch {
	case finding != nil && record.Plan.OnFailure == OnFailureHold:
		return stop{outcome: Failed, finding: finding}, m
	case finding != nil:
		return goBack{finding: finding}, m
	case st.done():
		return st.next(m)
	}
	m.heldSince, m.restarts = time.Time{}, nil
	return st.advance(), m
}

// foreignRevision answers a template that is not the rollout's: one that was set back ends the rollout, another stops it.
func foreignRevision(o *other, record *Record) action {
	if o.newest.Name == record.From.ControllerRevision {
		return finish{outcome: RolledBack}
	}
	return stop{outcome: Overtaken, message: fmt.Sprintf("the pod template was changed%s during the rollout, to revision %d where revision %d was under way",
		lastWriter(o.workload), o.newest.Revision, record.ToRevision)}
}

// opened is how many pods of a StatefulSet its partition lets be new.
func (st *otherStepper) opened() int32 {
	return max(PodCountsOf(st.workload).Desired-*st.record.Update.Partition, 0)
}

// done tells whether all new pods that there are to be are truly ready. Where replicas change in mid-step there may be more
// than the step asks for: they count too.
func (st *otherStepper) done() bool {
	wanted := max(st.target, st.counts.New)
	if st.record.Update.Partition != nil {
		return st.opened() >= st.target && st.counts.NewReady >= max(wanted, st.opened())
	}
	return st.counts.NewReady >= wanted && st.counts.Old <= st.replicas-st.target && len(st.going()) == 0
}

// next goes from a finished step to its hold, to the next step, or to the end.
func (st *otherStepper) next(m memory) (action, memory) {
	if hold := st.record.Plan.Hold.Duration; hold > 0 {
		if m.heldSince.IsZero() {
			m.heldSince, m.restarts = st.now, restartsOf(st.pods, st.isNew)
		}
		if end := m.heldSince.Add(hold); st.now.Before(end) {
			return await{until: end}, m
		}
	}
	if !st.record.Last() && st.replicas > 0 {
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
	return finish{outcome: Done}, m
}

// stay moves the record's step and nothing else.
func (st *otherStepper) stay() action {
	if partition := st.record.Update.Partition; partition != nil {
		return openTo{step: st.record.Step, partition: *partition}
	}
	return chooseWave{step: st.record.Step, wave: st.record.Update.Wave}
}

// advance lets more pods go where the limits allow it.
func (st *otherStepper) advance() action {
	if st.record.Update.Partition != nil {
		return st.advanceStatefulSet()
	}
	return st.advanceDaemonSet()
}

// advanceStatefulSet lowers the partition, never raises it: the pods above are new already. The controller replaces the pods
// one after another, or as many at once as its own limit lets it.
func (st *otherStepper) advanceStatefulSet() action {
	target, present := st.target, *st.record.Update.Partition
	if st.record.Update.Paced {
		limit, err := st.record.Plan.Limits.unavailableOf(st.replicas)
		if err != nil {
			return stop{outcome: Failed, message: err.Error()}
		}
		target = min(target, st.counts.NewReady+limit)
	}
	if partition := max(PodCountsOf(st.workload).Desired-target, 0); partition < present {
		return openTo{step: st.record.Step, partition: partition}
	}
	return await{until: st.wake}
}

// going are the pods of the last wave that are not known to be gone.
func (st *otherStepper) going() []*corev1.Pod {
	var going []*corev1.Pod
	for _, pod := range st.pods {
		if slices.Contains(st.record.Update.Wave, pod.UID) {
			going = append(going, pod)
		}
	}
	return going
}

// advanceDaemonSet deletes what the last wave has left, and chooses the next: no more than the step asks for, and no more
// than may be missing. Pods that are not available are missing already, and go first.
func (st *otherStepper) advanceDaemonSet() action {
	going := st.going()
	left := slices.DeleteFunc(slices.Clone(going), func(pod *corev1.Pod) bool { return st.deleted[pod.UID] })
	if len(left) > 0 {
		return replace{pods: left}
	}
	limit, err := st.record.Plan.Limits.unavailableOf(st.replicas)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}
	}
	var available int32
	var old []*corev1.Pod
	wake := st.wake
	for _, pod := range st.pods {
		if slices.Contains(going, pod) {
			continue
		}
		ready, due := st.isAvailable(pod)
		if ready {
			available++
		} else if !due.IsZero() {
			wake = earlier(wake, due)
		}
		if !st.isNew(pod) {
			old = append(old, pod)
		}
	}
	tooMany := int32(len(old)) - (st.replicas - st.target) //nolint:gosec // pods of one workload
	wave := st.choose(old, min(tooMany, mostInWave), limit-(st.replicas-available))
	if len(wave) == 0 {
		return await{until: wake}
	}
	return chooseWave{step: st.record.Step, wave: wave}
}

// choose picks the pods of a wave, of which so many may be available ones.
func (st *otherStepper) choose(old []*corev1.Pod, most, budget int32) []types.UID {
	rank := func(pod *corev1.Pod) int {
		if ready, _ := st.isAvailable(pod); ready {
			return 1
		}
		return 0
	}
	slices.SortFunc(old, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Spec.NodeName, b.Spec.NodeName), cmp.Compare(a.Name, b.Name))
	})
	var wave []types.UID
	for _, pod := range old {
		if most <= 0 {
			break
		}
		if rank(pod) == 1 {
			if budget <= 0 {
				break
			}
			budget--
		}
		wave, most = append(wave, pod.UID), most-1
	}
	return wave
}

// isAvailable tells whether a pod has been ready for long enough, and when it will have been, where it is ready.
func (st *otherStepper) isAvailable(pod *corev1.Pod) (bool, time.Time) {
	ready, since := readySince(pod)
	if !ready {
		return false, time.Time{}
	}
	due := since.Add(time.Duration(st.minReadySeconds()) * time.Second)
	return st.minReadySeconds() == 0 || !due.After(st.now), due
}

// decideOtherEnd says what to do once the controller drives by itself again.
func decideOtherEnd(o *other, record *Record, outcome Outcome, finding *Finding, now time.Time) action {
	wanted := o.newest != nil && (o.newest.Revision == record.ToRevision || outcome == RolledBack && o.newest.Name == record.From.ControllerRevision)
	switch phase := PhaseOf(o.workload); {
	case !o.staleSince.IsZero() || o.newest == nil:
		return await{}
	case o.workload.GetAnnotations()[Annotation] != "":
		return stop{outcome: Overtaken, message: "another rollout was started before this one had ended"}
	case !wanted:
		return stop{outcome: Overtaken, message: "the pod template was changed" + lastWriter(o.workload) + " before the awaited one was complete"}
	case phase == Complete, phase == Partitioned, phase == OnDelete:
		return stop{outcome: outcome}
	}
	if set, is := o.workload.(*appsv1.StatefulSet); is && outcome == RolledBack {
		if blocking, _ := obstacles(set, o.pods, now); len(blocking) > 0 {
			return unblock{pods: blocking}
		}
	}
	if finding != nil {
		return stop{outcome: Failed, finding: finding}
	}
	return await{}
}
