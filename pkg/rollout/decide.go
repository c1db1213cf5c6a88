package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// gatherWindow is how long the engine waits for more pods to become ready before it opens the gate for a part of the pods on
// their way. This bounds the number of writes. A step whose new pods are all ready is never delayed.
const gatherWindow = time.Second

// action is what a session does next: one of the types below.
type action interface{ isAction() }

type (
	// await waits for a change, or until the given moment if one is set.
	await struct{ until time.Time }
	// setGate moves the gate, and the record's step with it.
	setGate struct {
		step int
		gate Width
		// until is when the hold of the step ends, or nil if none has begun.
		until *metav1.Time
	}
	// noteHold records until when a step is held.
	noteHold struct{ until metav1.Time }
	// leaveGate gives all borrowed fields back except the deadline, because the last step needs no gate any more.
	leaveGate struct{}
	// adopt makes a template that others have set the new version of the rollout.
	adopt struct{ revision int64 }
	// finish restores the borrowed fields and removes the record.
	finish struct {
		outcome Outcome
		why     string
	}
	// part restores what is left of the gate, and leaves the Deployment to those who have changed it.
	part struct{ message string }
	// goBack returns to the old version.
	goBack struct {
		finding *Finding
		why     string
	}
	// stop ends the engine's work and leaves everything as it is.
	stop struct {
		outcome Outcome
		message string
		finding *Finding
	}
)

func (await) isAction()     {}
func (setGate) isAction()   {}
func (noteHold) isAction()  {}
func (leaveGate) isAction() {}
func (adopt) isAction()     {}
func (finish) isAction()    {}
func (part) isAction()      {}
func (goBack) isAction()    {}
func (stop) isAction()      {}

// stepper holds the facts for one decision about an open rollout.
type stepper struct {
	*Snapshot
	record  *Record
	current *appsv1.ReplicaSet
	counts  Counts
	wake    time.Time
	limits  Resolved
	target  int32
	now     time.Time
}

// decideStep returns the next action for an open rollout.
func decideStep(s *Snapshot, record *Record, m memory, now time.Time) (action, memory) {
	m = m.enter(s.StaleSince, record.Step, now)
	if !s.StaleSince.IsZero() {
		return await{}, m
	}
	if s.deployment().Spec.Paused {
		return stop{outcome: Paused, message: "the Deployment was paused"}, m
	}
	if record.Held {
		return stop{outcome: Paused, message: "the rollout is held at its step"}, m
	}
	current := s.Current()
	if finding := s.collides(); finding != nil {
		return goBack{finding: finding}, m // a hold would not help: the controller goes on making ReplicaSets
	}
	if !s.Observed() || current == nil || RevisionOf(current) != RevisionOf(s.deployment()) {
		return orStalled(s, record, current, m, await{}, now), m
	}
	if RevisionOf(s.deployment()) != record.ToRevision {
		return foreignTemplate(s, record, current), m
	}
	replicas := replicasOf(s.deployment())
	limits, err := record.Plan.Limits.At(replicas)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}, m
	}
	if !s.scaled() {
		return orStalled(s, record, current, m, await{}, now), m
	}
	m = m.sized(replicas)
	st := s.stepper(record, current, limits, now)
	if isGated(s.deployment()) && record.Gate != nil && record.foreign(s.deployment()) {
		return st.reclaim(m)
	}
	return st.decide(m)
}

func (st *stepper) decide(m memory) (action, memory) {
	if st.counts.NewReady > m.best {
		m.best, m.progressAt = st.counts.NewReady, later(m.progressAt, st.now) // in a hold, progressAt is when the hold ends
	}
	report := st.examine(st.current, st.record.Wanted().ProgressDeadlineSeconds, m, st.now)
	m, relapse := m.after(report).follow(st.Pods, belongsTo(st.current), st.suspects(), st.now)
	for _, finding := range []*Finding{report.Fatal(), relapse, m.lost(st.Pods, st.suspects(), st.now)} {
		if finding != nil {
			return st.fail(finding), m
		}
	}
	if st.done() {
		return st.next(m)
	}
	return st.advance(m)
}

func (st *stepper) fail(finding *Finding) action {
	if st.record.Plan.OnFailure == OnFailureHold {
		return stop{outcome: Failed, finding: finding}
	}
	return goBack{finding: finding}
}

// done reports whether the step has all its new pods truly ready, and no more old pods than it should. When replicas change in
// mid-step, the controller may have made more new pods than the step asks for. Those have to be ready as well.
func (st *stepper) done() bool {
	size, old := sizeOf(st.current), replicasOf(st.deployment())-st.target
	return size >= st.target && st.counts.NewReady >= size && st.oldSize(st.current) <= old && st.counts.Old <= old
}

// next goes from a finished step to its hold, to the next step, or to the end.
func (st *stepper) next(m memory) (action, memory) {
	replicas := replicasOf(st.deployment())
	if replicas == 0 && m.heldSince.IsZero() {
		return m.emptied(st.deployment()), m
	}
	if hold := st.record.Plan.Hold.Duration; hold > 0 {
		begins := m.heldSince.IsZero()
		var end time.Time
		if m, end = m.hold(hold, st.watched, st.now); begins {
			m.progressAt = later(end, st.now) // no progress is due before the hold ends
		}
		until := inSeconds(end)
		if rest := RestingWidth(st.target, st.limits); st.target > 0 && st.exceeds(rest) {
			return setGate{step: st.record.Step, gate: rest, until: &until}, m
		}
		if !st.record.HoldUntil.Equal(&until) {
			return noteHold{until: until}, m
		}
		if st.now.Before(end) {
			return await{until: end}, m
		}
	}
	switch {
	case replicas == 0:
		return m.emptied(st.deployment()), m
	case st.record.Last():
		var until time.Time
		if m, until = m.settling(st.Snapshot, st.current, st.now); st.now.Before(until) {
			return await{until: until}, m
		}
		m.reached = true
		return finish{outcome: Done}, m
	}
	target := st.record.Plan.Steps.Target(st.record.Step, replicas)
	return setGate{step: st.record.Step + 1, gate: NextWidth(target, st.counts.NewReady, st.limits).within(target, st.gone())}, m
}

// gone returns how many old pods the controller was told to remove.
func (st *stepper) gone() int32 { return replicasOf(st.deployment()) - st.oldSize(st.current) }

// opening returns the gate that follows the present one in a step. The watch may still show old pods that are gone: up to as
// many as the present gate allows, or the one before it. The controller copies the present record to the new ReplicaSet before
// it changes any size. Without that copy it is not known how far the controller went with the earlier gate, so the surge does
// not grow.
func (st *stepper) opening(present Width) Width {
	next := NextWidth(st.target, st.counts.NewReady, st.limits)
	if st.current.Annotations[Annotation] != st.deployment().Annotations[Annotation] && present != (Width{}) {
		next.Surge = min(next.Surge, present.Surge)
	}
	return next.within(st.target, max(present.Unavailable, st.gone()))
}

func (st *stepper) exceeds(rest Width) bool {
	gate, err := widthOf(st.deployment())
	return err == nil && (gate.Unavailable > rest.Unavailable || gate.Surge > rest.Surge)
}

// watched returns the restarts so far of the new pods that are ready. A new pod that is not ready has only just been made,
// because there are more replicas, and the watch has not brought its ReplicaSet yet. The step is not done then.
func (st *stepper) watched() map[types.UID]int32 {
	return restartsOf(st.Pods, belongsTo(st.current))
}

// restartsOf returns the restarts of each new pod that is ready.
func restartsOf(pods []*corev1.Pod, isNew func(*corev1.Pod) bool) map[types.UID]int32 {
	watched := map[types.UID]int32{}
	for _, pod := range pods {
		if ready, _ := readySince(pod); ready && isNew(pod) {
			watched[pod.UID] = diagnose.Crashes(pod)
		}
	}
	return watched
}

// advance opens the gate further as new pods become ready, and fails the step if none did for too long.
func (st *stepper) advance(m memory) (action, memory) {
	if replicasOf(st.deployment()) == 0 {
		return await{}, m
	}
	if !m.heldSince.IsZero() {
		// The step is not complete any more, because replicas changed or a node was lost. The time to complete it again begins
		// now.
		m.best, m.progressAt = st.counts.NewReady, st.now
	}
	m = m.unhold(st.now)
	gate, err := widthOf(st.deployment())
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}, m
	}
	desired := st.opening(gate)
	if st.ungated() || desired == gate {
		m.gainedAt = time.Time{}
		return orStalled(st.Snapshot, st.record, st.current, m, await{until: st.wake}, st.now), m
	}
	if m.gainedAt.IsZero() {
		m.gainedAt = st.now
	}
	if until := m.gainedAt.Add(gatherWindow); st.now.Before(until) && !st.worthIt(gate, desired) {
		return await{until: until}, m
	}
	m.gainedAt = time.Time{}
	if st.leaves(gate, desired) {
		return leaveGate{}, m
	}
	return setGate{step: st.record.Step, gate: desired}, m
}

// ungated reports whether the last step goes on without a gate.
func (st *stepper) ungated() bool { return !isGated(st.deployment()) }

// leaves reports whether the gate has nothing left to hold back. This is so in the last step, with no hold after it, when all
// new pods are made and so many are ready that all old ones may go. The limits have to be the Deployment's own. The controller
// then does by itself just what the open gate would let it do. It has counted the new pods as available by the time the last
// one is ready.
func (st *stepper) leaves(gate, desired Width) bool {
	replicas, wanted := replicasOf(st.deployment()), st.record.Wanted()
	return st.record.Last() && st.record.Plan.Hold.Duration == 0 && st.record.Plan.Limits == LimitsOf(wanted.Strategy) &&
		desired.Unavailable == replicas && gate.New() == replicas && sizeOf(st.current) == replicas &&
		// From then on only the deadline shows that the rollout is open.
		wanted.ProgressDeadlineSeconds != nil && *wanted.ProgressDeadlineSeconds != GateProgressDeadlineSeconds
}

// worthIt reports whether to move the gate at once. The reasons are: the gate must be lowered, no new pod is on its way, the
// rest of the step can go, or a fair part of the missing new pods can be made. Every write costs the controller a round, so
// moving for each single pod would slow a large step down. Waiting for too many pods would leave the controller idle. Old pods
// that could go are no reason by themselves, because the step does not end sooner for it.
func (st *stepper) worthIt(gate, desired Width) bool {
	switch more := desired.New() - gate.New(); {
	case desired.Unavailable <= gate.Unavailable, desired.Unavailable == st.target, st.counts.NewReady >= sizeOf(st.current):
		return true
	case more == 0:
		return false
	default:
		return desired.New() == st.target || more >= st.part()
	}
}

// part returns how many new pods make a move of the gate worth its write. This is a third of the pods that the limits allow on
// their way at once. It is less if the step can then be done in few moves. So a step takes about four writes, and the rollout a
// few more in all.
func (st *stepper) part() int32 {
	var before int32
	if st.record.Step > 1 {
		before = st.record.Plan.Steps.Target(st.record.Step-2, replicasOf(st.deployment()))
	}
	atOnce := st.limits.Surge + st.limits.Unavailable
	moves := 2 + 2/int32(len(st.record.Plan.Steps)) //nolint:gosec // there are at most 100 steps
	return min((st.target-before-atOnce+moves-1)/moves, (atOnce+2)/3)
}
