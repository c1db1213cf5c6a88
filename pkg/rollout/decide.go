package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// gatherWindow is how long the engine lets readiness gather before it opens the gate for a part of the pods that are
// on their way. It bounds the writes; a step whose new pods are all ready is never delayed.
const gatherWindow = time.Second

// action is what to do next.
type action interface{ isAction() }

type (
	// await a change, or until a moment where it is set.
	await struct{ until time.Time }
	// setGate moves the gate, and the record's step with it.
	setGate struct {
		step int
		gate Gate
		// until is when the hold of the step ends, nil where none has begun.
		until *metav1.Time
	}
	// noteHold writes down until when a step is held.
	noteHold struct{ until metav1.Time }
	// leaveGate gives all borrowed fields but the deadline back, for the last step needs no gate any more.
	leaveGate struct{}
	// adopt takes a template that others changed as the new version.
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

// stepper is one decision about an open rollout.
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

// decideStep says what to do about an open rollout.
func decideStep(s *Snapshot, record *Record, m memory, now time.Time) (action, memory) {
	m = m.enter(s.StaleSince, record.Step, now)
	if !s.StaleSince.IsZero() {
		return await{}, m
	}
	if s.Deployment.Spec.Paused {
		return stop{outcome: Paused, message: "the Deployment was paused"}, m
	}
	if record.Held {
		return stop{outcome: Paused, message: "the rollout is held at its step"}, m
	}
	current := s.Current()
	if finding := s.collides(); finding != nil {
		return goBack{finding: finding}, m // nothing stands still here: the controller goes on making ReplicaSets
	}
	if !s.Observed() || current == nil || RevisionOf(current) != RevisionOf(s.Deployment) {
		return orStalled(s, record, current, m, await{}, now), m
	}
	if RevisionOf(s.Deployment) != record.ToRevision {
		return foreignTemplate(s, record, current), m
	}
	replicas := replicasOf(s.Deployment)
	limits, err := record.Plan.Limits.At(replicas)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}, m
	}
	if !s.scaled() {
		return orStalled(s, record, current, m, await{}, now), m
	}
	m = m.sized(replicas)
	st := s.stepper(record, current, limits, now)
	if isGated(s.Deployment) && record.Gate != nil && record.foreign(s.Deployment) {
		return st.reclaim(m)
	}
	return st.decide(m)
}

func (st *stepper) decide(m memory) (action, memory) {
	if st.counts.NewReady > m.best {
		m.best, m.progressAt = st.counts.NewReady, later(m.progressAt, st.now) // which in a hold is when that ends
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

// done tells whether the step has all its new pods truly ready and no more old ones than it should. When replicas
// change in mid-step the controller may have made more new pods than the step asks for: they count too.
func (st *stepper) done() bool {
	size, old := sizeOf(st.current), replicasOf(st.Deployment)-st.target
	return size >= st.target && st.counts.NewReady >= size && st.oldSize(st.current) <= old && st.counts.Old <= old
}

// next goes from a finished step to its hold, to the next step, or to the end.
func (st *stepper) next(m memory) (action, memory) {
	replicas := replicasOf(st.Deployment)
	if replicas == 0 && m.heldSince.IsZero() {
		return m.emptied(st.Deployment), m
	}
	if hold := st.record.Plan.Hold.Duration; hold > 0 {
		begins := m.heldSince.IsZero()
		var end time.Time
		if m, end = m.hold(hold, st.watched, st.now); begins {
			m.progressAt = later(end, st.now) // there is none to be made before
		}
		until := inSeconds(end)
		if rest := RestingGate(st.target, st.limits); st.target > 0 && st.exceeds(rest) {
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
		return m.emptied(st.Deployment), m
	case st.record.Last():
		var until time.Time
		if m, until = m.settling(st.Snapshot, st.current, st.now); st.now.Before(until) {
			return await{until: until}, m
		}
		m.reached = true
		return finish{outcome: Done}, m
	}
	target := st.record.Plan.Steps.Target(st.record.Step, replicas)
	return setGate{step: st.record.Step + 1, gate: NextGate(target, st.counts.NewReady, st.limits).within(target, st.gone())}, m
}

// gone is how many old pods the controller was told to do without.
func (st *stepper) gone() int32 { return replicasOf(st.Deployment) - st.oldSize(st.current) }

// opening is the gate that follows this one in a step. Old pods may be gone of which the watch has not told yet, up to
// what the present gate allows, or one before it. How far the controller went with those is known once it has copied
// the present one's record to the new ReplicaSet: it does that before it changes any size.
func (st *stepper) opening(present Gate) Gate {
	next := NextGate(st.target, st.counts.NewReady, st.limits)
	if st.current.Annotations[Annotation] != st.Deployment.Annotations[Annotation] && present != (Gate{}) {
		next.Surge = min(next.Surge, present.Surge)
	}
	return next.within(st.target, max(present.Unavailable, st.gone()))
}

func (st *stepper) exceeds(rest Gate) bool {
	gate, err := gateOf(st.Deployment)
	return err == nil && (gate.Unavailable > rest.Unavailable || gate.Surge > rest.Surge)
}

// watched are the new pods with their restarts so far. One that is not ready has been made just now, for more replicas, and
// its ReplicaSet has not been brought yet: the step is not done, then.
func (st *stepper) watched() map[types.UID]int32 {
	return restartsOf(st.Pods, belongsTo(st.current))
}

// restartsOf are the restarts of the new pods that are ready.
func restartsOf(pods []*corev1.Pod, isNew func(*corev1.Pod) bool) map[types.UID]int32 {
	watched := map[types.UID]int32{}
	for _, pod := range pods {
		if ready, _ := readySince(pod); ready && isNew(pod) {
			watched[pod.UID] = diagnose.Crashes(pod)
		}
	}
	return watched
}

// advance moves the gate on as new pods become ready, and fails the step when none did for too long.
func (st *stepper) advance(m memory) (action, memory) {
	if replicasOf(st.Deployment) == 0 {
		return await{}, m
	}
	if !m.heldSince.IsZero() {
		// What was reached is so no more, for the number of replicas or a node: the time to get there again begins now.
		m.best, m.progressAt = st.counts.NewReady, st.now
	}
	m = m.unhold(st.now)
	gate, err := gateOf(st.Deployment)
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

// ungated tells whether the last step goes on without a gate.
func (st *stepper) ungated() bool { return !isGated(st.Deployment) }

// leaves tells whether the gate has nothing left to hold back: in the last step, with no hold after it, when all new pods
// are made and so many are ready that all old ones may go. Where the limits are the Deployment's own, the controller then
// does by itself just what the open gate would let it do, and has counted the new pods as available by the time that the
// last one is ready.
func (st *stepper) leaves(gate, desired Gate) bool {
	replicas, wanted := replicasOf(st.Deployment), st.record.Wanted()
	return st.record.Last() && st.record.Plan.Hold.Duration == 0 && st.record.Plan.Limits == LimitsOf(wanted.Strategy) &&
		desired.Unavailable == replicas && gate.New() == replicas && sizeOf(st.current) == replicas &&
		// By the deadline alone the rollout is known to be open then.
		wanted.ProgressDeadlineSeconds != nil && *wanted.ProgressDeadlineSeconds != GateProgressDeadlineSeconds
}

// worthIt tells whether the gate is to be moved at once: when it must be lowered, when no new pod is on its way, when the
// rest of the step can go, or when a fair part of the new pods that are yet to be made can be made. Every write costs the
// controller a round, so that moving for each single pod would slow a large step down; waiting for too many would leave
// the controller idle. Old pods that could go are no reason by themselves: the step does not end sooner for it.
func (st *stepper) worthIt(gate, desired Gate) bool {
	switch more := desired.New() - gate.New(); {
	case desired.Unavailable <= gate.Unavailable, desired.Unavailable == st.target, st.counts.NewReady >= sizeOf(st.current):
		return true
	case more == 0:
		return false
	default:
		return desired.New() == st.target || more >= st.part()
	}
}

// part is how many new pods make a move of the gate worth its write: a third of what the limits let be on the way at once,
// or less where the step can then be done in few moves, so that there are about four writes per step and some more in all.
func (st *stepper) part() int32 {
	var before int32
	if st.record.Step > 1 {
		before = st.record.Plan.Steps.Target(st.record.Step-2, replicasOf(st.Deployment))
	}
	atOnce := st.limits.Surge + st.limits.Unavailable
	moves := 2 + 2/int32(len(st.record.Plan.Steps)) //nolint:gosec // there are at most 100 steps
	return min((st.target-before-atOnce+moves-1)/moves, (atOnce+2)/3)
}
