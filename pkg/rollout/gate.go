package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// gate holds a workload of one kind at a step of its rollout, and lets it go on. A gate is pure: it reads a snapshot and a
// record, and says what to do.
type gate interface {
	beginner
	pacer
	holder
	ender
}

// beginner knows how a rollout begins.
type beginner interface {
	// level reports whether the controller has acted on the workload, so that the present template has a revision.
	level(s *Snapshot) bool
	// refuses returns an error if no rollout can begin on the workload, or if an option means nothing for its kind.
	refuses(s *Snapshot, change *Change, options *StartOptions) error
	// refusesManifest returns an error if the workload that a manifest results in cannot be rolled out in steps.
	refusesManifest(w workload.Object) error
	// own returns a workload without the fields that a rollout has left behind which others ended.
	own(w workload.Object, r *Record) workload.Object
	// same reports whether a workload already has the pod template that is wanted.
	same(live *liveWorkload, target *wanted) bool
	// from returns the revision of the present template, and next the number that the new one will have.
	from(s *Snapshot) Revision
	next(s *Snapshot, p *prepared) int64
	// borrow notes in a new record what the rollout borrows, and its limits.
	borrow(p *prepared, options *StartOptions) error
	// shut notes in a new record how the gate stands at first.
	shut(p *prepared, limits plan.Resolved)
	// held returns the fields that hold the workload at first.
	held(p *prepared) []heldField
}

// heldField is a field of a workload with the value that holds a rollout.
type heldField struct {
	path  []string
	value any
}

// pacer decides about the step under way.
type pacer interface {
	// size returns the number of pods that the steps apply to.
	size(w workload.Object, r *Record) int32
	// limits resolves a rollout's limits as the workload's controller does.
	limits(w workload.Object, l plan.Limits) (plan.Resolved, error)
	// deadline returns within how many seconds a step has to make progress, or nil if nothing bounds that.
	deadline(r *Record) *int32
	// minReadySeconds returns for how long a new pod has to be ready before it counts.
	minReadySeconds(w workload.Object, r *Record) int32
	// counted returns the pods that count for a step, and how many of the new ones may count as ready.
	counted(s *Snapshot) (pods []*corev1.Pod, most int32)

	// interrupted returns the action for a workload that stands still or goes on by itself, or nil if it is held at its step.
	interrupted(s *Snapshot, r *Record, m memory) (action, memory)
	// collides returns a finding if the controller does not find the revisions again that it makes.
	collides(s *Snapshot, r *Record) *Finding
	// foreign returns the action for a pod template that is not the rollout's.
	foreign(s *Snapshot, r *Record) action
	// scaled reports whether the controller has followed the present number of pods.
	scaled(s *Snapshot) bool
	// rewritten returns the action for a strategy that others wrote over the rollout's, or nil if nobody did.
	rewritten(st *step, m memory) (action, memory)
	// judge returns why the new version fails, or nil if it may still become ready.
	judge(st *step, m memory) (memory, *Finding)
	// done reports whether the step has all its new pods ready, and no more old pods than it should.
	done(st *step, held bool) bool
	// rest returns the opening at which a finished step is held. It is nil if the gate is no wider than that.
	rest(st *step) opening
	// advance returns the move that lets more pods go, or a wait if the limits allow none.
	advance(st *step, m memory) (action, memory)
	// settled reports whether the controller has made the pods that it wants by now.
	settled(s *Snapshot) bool
	// preview returns what the steps of a plan amount to.
	preview(w workload.Object, r *Record) ([]plan.StepPreview, error)
	// follow returns the move from a finished step to the next one.
	follow(st *step) action
}

// holder knows the fields that a rollout borrows. The fields that a method takes out of the workload again have no owner
// afterwards.
type holder interface {
	// state finds the open rollout of a workload.
	state(s *Snapshot, decode decodeFunc) (State, *Record, error)
	// holds reports whether a workload stands at its step by the borrowed fields.
	holds(w workload.Object, r *Record) bool
	// moves says why an open rollout does not stand still by itself, and what can be done, or returns "" if it does.
	moves(w workload.Object, state State) string
	// opened returns the record after a move. It adopts what others have set in the borrowed fields.
	opened(w workload.Object, r *Record, a move) (*Record, error)
	// hold adds to a patch the fields that hold a workload as the record says.
	hold(p *patch, w workload.Object, r *Record)
	// reclaimed says who had changed the borrowed fields before a move, or returns "" if nobody had.
	reclaimed(w workload.Object, r *Record) string
	// left returns the record of a rollout that is left standing. It may add to a patch the opening that is enough for that.
	left(p *patch, s *Snapshot, r *Record, narrower bool) *Record
	// giveBack adds to a patch the workload's own fields, which it gets back as the rollout ends. It returns the record with what
	// others have set in the borrowed fields.
	giveBack(p *patch, w workload.Object, r *Record, state State, outcome Outcome) (handover, error)
	// part does the same for a workload that others let go. A record that is open must stay for what is still borrowed.
	part(p *patch, w workload.Object, r *Record, state State) (handover, error)
	// goBack does the same for a workload that goes back to its old version. A record that is open must stay until that is
	// complete. Altered says that the API server alters what is borrowed.
	goBack(p *patch, s *Snapshot, r *Record, state State, altered bool) (handover, error)
	// borrows reports whether a workload whose record is gone still has borrowed fields, so that the record must come back.
	borrows(w workload.Object, r *Record) bool
}

// handover is the record as a rollout lets go of its workload.
type handover struct {
	record *Record
	// open is set if the record stays: something is still borrowed.
	open bool
	// removed are the fields that the write takes out of the workload.
	removed []ownership.Field
}

// ender decides about a version that the workload's controller completes by itself.
type ender interface {
	// end returns the next action towards the new version (Done), or back to the old one (RolledBack).
	end(s *Snapshot, to goal, m memory) (action, memory)
	// awaits returns the pod template that has to stay until then, or nil if the newest revision tells.
	awaits(w workload.Object) *corev1.PodTemplateSpec
	// wentBack returns the action if somebody has gone back to the old version while nobody drove the rollout.
	wentBack(s *Snapshot, r *Record) action
	// disturbed returns the action for an open rollout whose fields others have changed, by whether somebody resumes it.
	disturbed(w workload.Object, resumes bool, now time.Time) action
	// reclaims reports whether the next decision responds to disturbed fields, since they may be the rollout's again.
	reclaims() bool
	// runs reports whether the workload has the pod template of a revision.
	runs(s *Snapshot, to *Revision) bool
}

// goal is what a session waits for once the workload's controller drives by itself.
type goal struct {
	state   State
	record  *Record
	outcome Outcome
	now     time.Time
}

// opening is how far a gate is open: the Width of a Deployment, the partition of a StatefulSet, or the wave of a DaemonSet.
type opening interface{ isOpening() }

// gateOf returns the gate of a workload.
func gateOf(w workload.Object) gate {
	switch w.(type) {
	case *appsv1.StatefulSet:
		return statefulSetGate{}
	case *appsv1.DaemonSet:
		return daemonSetGate{}
	}
	return deploymentGate{}
}

// step is what a decision about the step under way depends on.
type step struct {
	*Snapshot
	gate   gate
	record *Record
	limits plan.Resolved
	// replicas is the number of pods that the steps apply to. target is how many of them are new after this step.
	replicas, target int32
	counts           Counts
	// wake is when more new pods count as ready, or zero if none waits for that.
	wake, now time.Time
}

// step returns the step that a record stands at.
func (s *Snapshot) step(g gate, record *Record, now time.Time) (*step, error) {
	limits, err := g.limits(s.Workload, record.Plan.Limits)
	if err != nil {
		return nil, err
	}
	replicas := g.size(s.Workload, record)
	st := &step{Snapshot: s, gate: g, record: record, limits: limits, replicas: replicas, target: record.Target(replicas), now: now}
	pods, most := g.counted(s)
	st.counts, st.wake = countPods(pods, s.isNew, g.minReadySeconds(s.Workload, record), now)
	st.counts.NewReady = min(st.counts.NewReady, most)
	return st, nil
}

// at returns the same moment at another step.
func (st *step) at(number int) *step {
	other, record := *st, *st.record
	record.Step = number
	other.record, other.target = &record, record.Target(st.replicas)
	return &other
}
