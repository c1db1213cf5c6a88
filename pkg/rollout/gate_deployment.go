package rollout

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// gatherWindow is how long the engine waits for more pods to become ready before it opens the gate for a part of the pods on
// their way. This bounds the number of writes. A step whose new pods are all ready is never delayed.
const gatherWindow = time.Second

// deploymentGate holds a Deployment by a minReadySeconds that no pod reaches. Its controller then makes and removes no more
// pods than the strategy says, and a Width is that strategy.
type deploymentGate struct{}

// ungated is the opening of a last step that needs no gate any more. The Deployment gets all borrowed fields back except the
// deadline.
type ungated struct{}

func (Width) isOpening()   {}
func (ungated) isOpening() {}

func (deploymentGate) size(w workload.Object, _ *Record) int32 {
	return workload.PodCountsOf(w).Desired
}

func (deploymentGate) limits(w workload.Object, l plan.Limits) (plan.Resolved, error) {
	return l.At(workload.PodCountsOf(w).Desired)
}

func (deploymentGate) deadline(r *Record) *int32 { return r.Wanted().ProgressDeadlineSeconds }

// minReadySeconds returns the Deployment's own value: a closed gate has another one.
func (deploymentGate) minReadySeconds(_ workload.Object, r *Record) int32 {
	return r.Wanted().MinReadySeconds
}

// counted leaves out the surplus pods of the newest ReplicaSet, which are about to go: no old pod may go in exchange for them.
func (deploymentGate) counted(s *Snapshot) (pods []*corev1.Pod, most int32) {
	return s.Pods, s.newSize()
}

func (deploymentGate) interrupted(s *Snapshot, _ *Record, m memory) (action, memory) {
	if s.deployment().Spec.Paused {
		return stop{outcome: Paused, message: "the Deployment was paused"}, m
	}
	return nil, m
}

func (deploymentGate) collides(s *Snapshot, _ *Record) *Finding { return s.collides() }

// foreign ends the rollout if the template is the old version's, and otherwise stops it.
func (deploymentGate) foreign(s *Snapshot, r *Record) action {
	return foreignTemplate(s, r, s.Current())
}

func (deploymentGate) scaled(s *Snapshot) bool { return s.scaled() }

func (deploymentGate) settled(s *Snapshot) bool { return s.scaled() }

func (deploymentGate) preview(w workload.Object, r *Record) ([]plan.StepPreview, error) {
	return preview(r.Plan, workload.PodCountsOf(w).Desired)
}

// rewritten restores a strategy that others wrote over a closed gate. From the second write of the same value on, somebody
// insists on that value, and the rollout stops.
func (g deploymentGate) rewritten(st *step, m memory) (action, memory) {
	d := st.deployment()
	if !isGated(d) || st.record.Gate == nil || !st.record.foreign(d) {
		return nil, m
	}
	width, err := widthOf(d)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}, m
	}
	var often bool
	value := strategyText(d.Spec.Strategy)
	m.rewrites, often = m.rewrites.with(st.record.Gate.Move, value)
	wanted := g.opening(st, width)
	if g.done(st, false) && st.target > 0 {
		wanted = RestingWidth(st.target, st.limits)
	}
	back := move{step: st.record.Step, to: wanted}
	if !often {
		return back, m
	}
	message := insists(d, st.record, len(m.rewrites.values), value, "strategy")
	if width.New() <= wanted.New() && width.Unavailable <= wanted.Unavailable {
		return stop{outcome: Overtaken, message: message + "; it stays, since it lets no more pods go"}, m
	}
	return standBack{back, message + "; the limits of the step are back once more, and nobody drives the rollout on"}, m
}

func (g deploymentGate) judge(st *step, m memory) (memory, *Finding) {
	report := st.examine(st.Current(), g.deadline(st.record), m, st.now)
	m, relapse := m.after(report).follow(st.Pods, st.isNew, st.podFindings(), st.now)
	for _, finding := range []*Finding{report.Fatal(), relapse} {
		if finding != nil {
			return m, finding
		}
	}
	return m, st.lost(m, st.podFindings())
}

// done also wants those new pods ready that the controller has made beyond the step, because replicas changed in mid-step.
func (deploymentGate) done(st *step, _ bool) bool {
	size, old := st.newSize(), st.replicas-st.target
	return size >= st.target && st.counts.NewReady >= size && st.oldSize(st.Current()) <= old && st.counts.Old <= old
}

func (deploymentGate) rest(st *step) opening {
	rest := RestingWidth(st.target, st.limits)
	width, err := widthOf(st.deployment())
	if st.target > 0 && err == nil && (width.Unavailable > rest.Unavailable || width.Surge > rest.Surge) {
		return rest
	}
	return nil
}

func (g deploymentGate) follow(st *step) action {
	next := st.at(st.record.Step + 1)
	return move{step: next.record.Step, to: NextWidth(next.target, st.counts.NewReady, st.limits).within(next.target, g.gone(st))}
}

// advance opens the gate further as new pods become ready, and fails the step if none did for too long.
func (g deploymentGate) advance(st *step, m memory) (action, memory) {
	if st.replicas == 0 {
		return await{}, m
	}
	m = st.interrupt(m)
	present, err := widthOf(st.deployment())
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}, m
	}
	desired := g.opening(st, present)
	if !isGated(st.deployment()) || desired == present {
		m.gainedAt = time.Time{}
		return overdue(g, st.Snapshot, st.record, m, await{until: st.wake}, st.now), m
	}
	if m.gainedAt.IsZero() {
		m.gainedAt = st.now
	}
	if until := m.gainedAt.Add(gatherWindow); st.now.Before(until) && !g.worthIt(st, present, desired) {
		return await{until: until}, m
	}
	m.gainedAt = time.Time{}
	if g.leaves(st, present, desired) {
		return move{step: st.record.Step, to: ungated{}}, m
	}
	return move{step: st.record.Step, to: desired}, m
}

// gone returns how many old pods the controller was told to remove.
func (deploymentGate) gone(st *step) int32 { return st.replicas - st.oldSize(st.Current()) }

// opening returns the width that follows the present one in a step. The watch may still show old pods that are gone: up to as
// many as the present gate allows, or the one before it. The controller copies the present record to the new ReplicaSet before
// it changes any size. Without that copy it is not known how far the controller went with the earlier gate, so the surge does
// not grow.
func (g deploymentGate) opening(st *step, present Width) Width {
	next := NextWidth(st.target, st.counts.NewReady, st.limits)
	if st.Current().Annotations[Annotation] != st.Workload.GetAnnotations()[Annotation] && present != (Width{}) {
		next.Surge = min(next.Surge, present.Surge)
	}
	return next.within(st.target, max(present.Unavailable, g.gone(st)))
}

// leaves reports whether the gate has nothing left to hold back. This is so in the last step, with no hold after it, when all
// new pods are made and so many are ready that all old ones may go. The limits have to be the Deployment's own. The controller
// then does by itself just what the open gate would let it do. It has counted the new pods as available by the time the last
// one is ready.
func (deploymentGate) leaves(st *step, present, desired Width) bool {
	wanted := st.record.Wanted()
	return st.record.Last() && st.record.Plan.Hold.Duration == 0 && st.record.Plan.Limits == plan.LimitsOf(wanted.Strategy) &&
		desired.Unavailable == st.replicas && present.New() == st.replicas && st.newSize() == st.replicas &&
		// From then on only the deadline shows that the rollout is open.
		wanted.ProgressDeadlineSeconds != nil && *wanted.ProgressDeadlineSeconds != GateProgressDeadlineSeconds
}

// worthIt reports whether to move the gate at once. The reasons are: the gate must be lowered, no new pod is on its way, the
// rest of the step can go, or a fair part of the missing new pods can be made. Every write costs the controller a round, so
// moving for each single pod would slow a large step down. Waiting for too many pods would leave the controller idle. Old pods
// that could go are no reason by themselves, because the step does not end sooner for it.
func (g deploymentGate) worthIt(st *step, present, desired Width) bool {
	switch more := desired.New() - present.New(); {
	case desired.Unavailable <= present.Unavailable, desired.Unavailable == st.target, st.counts.NewReady >= st.newSize():
		return true
	case more == 0:
		return false
	default:
		return desired.New() == st.target || more >= g.share(st)
	}
}

// share returns how many new pods make a move of the gate worth its write. This is a third of the pods that the limits allow on
// their way at once. It is less if the step can then be done in few moves. So a step takes about four writes, and the rollout a
// few more in all.
func (deploymentGate) share(st *step) int32 {
	var before int32
	if st.record.Step > 1 {
		before = st.record.Plan.Steps.Target(st.record.Step-2, st.replicas)
	}
	atOnce := st.limits.Surge + st.limits.Unavailable
	moves := 2 + 2/int32(len(st.record.Plan.Steps)) //nolint:gosec // there are at most 100 steps
	return min((st.target-before-atOnce+moves-1)/moves, (atOnce+2)/3)
}

// unlimited lets all new pods count as ready.
const unlimited = math.MaxInt32
