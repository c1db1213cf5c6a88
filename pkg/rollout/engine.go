package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// Engine works on one Deployment at a time: it takes a snapshot, decides, acts, and waits for the next change.
type Engine struct {
	Client kubernetes.Interface
	// Clock is to tell the API server's time, since readiness is judged by the cluster's time stamps.
	Clock clock.Clock
	// FieldManager is the name under which fields are written.
	FieldManager string
	// LogLines is how many lines of a failed container's log are told.
	LogLines int64
	// Patience is the least time that pods are given which may come good; where it is zero, that of the rollout's record.
	Patience time.Duration
	// Began returns when the command began, by the Clock: what is older proves nothing. Nil is for when the work is begun.
	Began func() time.Time
	// Once tells that the command looks but once, so that everything counts.
	Once bool
	// Wrote tells that the command itself wrote what it follows.
	Wrote bool
	// WaitTerminated has success wait until all pods have ended that were told to.
	WaitTerminated bool
	// Emit is called for every event, never from two goroutines at once.
	Emit func(time.Time, Event)
	// Returning is called with a workload and the template that it is about to go back to, before that is written, and
	// with the record of the rollout; more than once where the write has to be repeated. It may be nil.
	Returning func(context.Context, Workload, *corev1.PodTemplateSpec, *Record)
	// Annotations gives what a workload with these annotations is to have besides, by name, when it goes back to this
	// template; what has no value is removed. It may be nil.
	Annotations func(live map[string]string, template map[string]any) map[string]string
}

// phase is what a session is about.
type phase int

const (
	// stepping drives the open rollout towards the new version.
	stepping phase = iota
	// resuming takes a standing rollout up, as its first act.
	resuming
	// returning drives the open rollout back to the old version.
	returning
	// ending waits until the controller, which drives by itself again, is done.
	ending
)

// session is one command's work on one workload.
type session struct {
	*Engine
	kind   string
	key    types.NamespacedName
	uid    types.UID
	source *source
	meter  meter

	decodeRecord decodeFunc

	phase phase
	// diagnosed is the last report on a StatefulSet or DaemonSet.
	diagnosed *diagnose.Report
	// written is the Deployment as the last write left it, for as long as the watch has not brought it.
	written *appsv1.Deployment
	// matched is the current ReplicaSet of a generation, as far as it is known.
	matched struct {
		generation int64
		current    types.UID
	}
	// awaited is what is waited for when ending, nil where any template will do, and the last generation that still had it.
	awaited struct {
		template   *corev1.PodTemplateSpec
		generation int64
	}
	// record is the newest that was seen; it outlives the annotation.
	record  *Record
	state   State
	memory  memory
	outcome Outcome
	// finding, told and planned are what was told, blamed what it was before more was read.
	finding, blamed *Finding
	told            ProgressEvent
	// toldAt is when counts were told last, in the step toldStep.
	toldAt   map[ProgressEvent]time.Time
	toldStep int
	planned  PlanEvent
	// noted is what was told of the manifest.
	noted string
	// witness and warned are what only events tell, and which warnings have been told.
	witness  witness
	warned   map[string]time.Time
	warnings []FindingEvent
	// hindrance is the gravest warning that holds now, nil where there is none.
	hindrance *Finding
	// warnNext is when a warning is to be told again, zero where none is.
	warnNext time.Time
	heard    []*corev1.Event
	// parted is what there is to say once the Deployment was given back to others.
	parted *stop
	// to is the revision to go back to in the place of the record's own, nil where that is wanted.
	to *Revision
	// backSince is when the session first meant to go back.
	backSince time.Time
	held      bool
	// cannotRetry tells that the right is missing to make a controller try again.
	cannotRetry bool
	// overshot is the step of which it was told that others have made more new pods than it asks for.
	overshot int
	// lingers tells that nothing but pods that still end is waited for.
	lingers, toldLingering bool
	// sighted, leftFor and followed are what a follower has seen: what lasts, why a rollout goes back, and the newest revision of a
	// generation.
	sighted  sighting
	leftFor  *Finding
	followed struct {
		newest     *appsv1.ControllerRevision
		generation int64
	}
	// mayWrite tells that the API server has taken a write, and refusals are those that it has not taken since.
	mayWrite  bool
	refusals  refusals
	conflicts conflicts
	// altered is set once a write that holds the rollout was stored in another form.
	altered *AlteredError
	// attention is how the workload's controller has acted on changes.
	attention attention
	// triedFirst is set once the first write was made as a dry run.
	triedFirst bool
	// toldApplier is set once the tool was named that applies the workload.
	toldApplier bool
	// why says why the old version returns, where no finding does.
	why string
	// toldHeldBack is set once it was told that watch data is held back.
	toldHeldBack bool
}

// open reads the Deployment and begins to watch it. The session must be closed.
func (e *Engine) open(ctx context.Context, key types.NamespacedName) (*session, error) {
	d, err := e.Deployment(ctx, key)
	if err != nil {
		return nil, err
	}
	// The watches may begin with what was before.
	s := &session{Engine: e, kind: KindOf(d), key: key, uid: d.UID, written: d, decodeRecord: rememberingDecode()}
	s.memory.began = e.began(true)
	return s, s.watch(ctx, d, s.observe)
}

// watch begins to watch the session's workload, and waits until all there is has been brought. Where that fails nothing is
// left to close.
func (s *session) watch(ctx context.Context, workload Workload, onCount func()) (err error) {
	if s.source, err = newSource(s.Client, s.Clock, workload, onCount); err != nil {
		return err
	}
	s.source.start(ctx)
	if err := s.source.sync(ctx); err != nil {
		s.source.close()
		return err
	}
	s.tellHeldBack()
	return nil
}

// observe feeds the meter on every change that the watches bring.
func (s *session) observe() {
	if s.source.synced() {
		snapshot := s.source.snapshot()
		s.meter.observe(&snapshot)
	}
}

// sleep returns soon after the next change, or at the moment until where it is set.
func (s *session) sleep(ctx context.Context, until time.Time) error {
	if !s.warnNext.IsZero() {
		until = earlier(until, s.warnNext)
	}
	if err := s.source.sleep(ctx, until); err != nil {
		return err
	}
	return s.pause(ctx, gatherChanges)
}

// snapshot is what the watches brought, with our own last write where they have not brought it yet.
func (s *session) snapshot() Snapshot {
	snapshot := s.source.snapshot()
	if snapshot.Deployment == nil {
		return snapshot
	}
	s.overlay(&snapshot)
	snapshot.Deaf = s.witness.deaf
	snapshot.Claims, snapshot.NoClaims = s.witness.claims()
	if generation := snapshot.Deployment.Generation; s.matched.generation == generation {
		snapshot.expect(s.matched.current)
	} else if current := snapshot.Current(); current != nil {
		s.matched.generation, s.matched.current = generation, current.UID
	}
	return snapshot
}

// overlay puts our own last write over a Deployment that the watch brought before it.
func (s *session) overlay(snapshot *Snapshot) {
	if s.written == nil {
		return
	}
	if order, err := resourceversion.CompareResourceVersion(snapshot.Deployment.ResourceVersion, s.written.ResourceVersion); err == nil && order < 0 {
		snapshot.Deployment = s.written
	} else {
		s.written = nil
	}
}

// run is the loop. It ends with a result, whatever happens to the Deployment, the connection or the client.
func (s *session) run(ctx context.Context) *Result {
	for {
		if err := context.Cause(ctx); err != nil {
			return s.interrupted(ctx, err)
		}
		if err := s.source.err(); err != nil {
			return s.result(Failed, err.Error())
		}
		s.tellHeldBack()
		// That takes time; what is decided is decided by what there is after that.
		heard := s.listen(ctx)
		snapshot := s.snapshot()
		snapshot.Events = heard
		if snapshot.Deployment == nil || snapshot.Deployment.UID != s.uid {
			if snapshot.StaleSince.IsZero() {
				return s.result(Deleted, "the "+s.kind+" was deleted")
			}
			if err := s.sleep(ctx, time.Time{}); err != nil {
				return s.interrupted(ctx, err)
			}
			continue
		}
		next, err := s.decide(&snapshot)
		if err != nil {
			return s.result(Failed, err.Error())
		}
		if !snapshot.StaleSince.IsZero() {
			s.refusals = refusals{} // those have another cause
		}
		s.report(&snapshot, next)
		s.tellWarnings(ctx)
		s.retry(ctx, snapshot.report)
		if result := s.act(ctx, &snapshot, next); result != nil {
			return result
		}
	}
}

// decide asks the pure functions what is next.
func (s *session) decide(snapshot *Snapshot) (action, error) {
	state, record, err := s.openIn(snapshot)
	if err != nil {
		return nil, err
	}
	if record != nil {
		s.record = record
	}
	s.state = state
	s.memory.patience, s.memory.retries = s.patience(s.record), !s.cannotRetry
	now := s.Clock.Now()
	return s.alert(snapshot, s.patiently(snapshot, s.choose(snapshot, state, now), now)), nil
}

// choose returns the next action by what the session is about.
func (s *session) choose(snapshot *Snapshot, state State, now time.Time) (next action) {
	switch {
	case s.parted != nil:
		next = *s.parted
	case s.altered != nil && s.phase != ending && state != Idle:
		next = goBack{}
	case s.phase == resuming:
		next = s.takeUp(snapshot, now)
	case s.phase == ending && s.isOvertaken(snapshot, state):
		next = s.overtaken(snapshot, state)
	case s.phase == ending:
		next, s.memory = decideEnd(snapshot, state, s.outcome, s.deadline(snapshot), s.memory, now)
		next = s.untilTerminated(next)
	case s.phase == returning && state != Idle:
		next = goBack{finding: s.finding}
		if state == RollingBack && !s.isAstray(snapshot) {
			next = s.endBack(snapshot)
		}
	case state == Open:
		next, s.memory = decideStep(snapshot, s.record, s.memory, now)
	default:
		next = s.closed(snapshot, state)
	}
	return next
}
