package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// phase is what a session is doing.
type phase int

const (
	// stepping drives the open rollout towards the new version.
	stepping phase = iota
	// resuming takes up a standing rollout, as the session's first act.
	resuming
	// returning drives the open rollout back to the old version.
	returning
	// ending waits until the controller, which drives by itself again, has completed a version.
	ending
)

// session is one command's work on one workload, from the first read to the result.
type session struct {
	*Engine
	kind   string
	key    types.NamespacedName
	uid    types.UID
	source *source
	meter  meter

	decodeRecord decodeFunc

	phase phase
	// written is the workload as the last write left it, or nil once the watch has brought that.
	written workload.Object
	// known are the ControllerRevisions of a generation, once they were read: the newest, and all numbers by name.
	known struct {
		newest     *appsv1.ControllerRevision
		numbers    map[string]int64
		generation int64
	}
	// deleted holds the pods that the session has deleted.
	deleted map[types.UID]bool
	// obstacle is the last message about a pod that the StatefulSet waits for.
	obstacle string
	// matched is the current ReplicaSet of a generation, once it is known.
	matched struct {
		generation int64
		current    types.UID
	}
	// awaited is the template that the session waits for when ending, or nil if any template will do. Its generation is the
	// last one that still had the template.
	awaited struct {
		template   *corev1.PodTemplateSpec
		generation int64
	}
	// record is the newest record that was seen. It outlives the annotation.
	record  *Record
	state   State
	memory  memory
	outcome Outcome
	// finding, lastProgress and lastPlan were emitted last. rawFinding is the finding before more was read about it.
	finding, rawFinding *Finding
	lastProgress        ProgressEvent
	// toldAt is when each progress was last emitted within the step toldStep.
	toldAt   map[ProgressEvent]time.Time
	toldStep int
	lastPlan PlanEvent
	// noted is the last note about the manifest that was emitted.
	noted string
	// eventReader holds the events that were read. warned is when each warning was last emitted, and warnings are yet to be
	// emitted.
	eventReader eventReader
	warned      map[string]time.Time
	warnings    []FindingEvent
	// hindrance is the gravest warning that holds now, or nil if there is none.
	hindrance *Finding
	// warnNext is when a warning is to be emitted again, or zero if none is.
	warnNext time.Time
	// podEvents are the events that a follower has read.
	podEvents []*corev1.Event
	// parted is the stop that follows once the Deployment was given back to others, or nil.
	parted *stop
	// to is the revision to go back to instead of the record's own, or nil for the record's own.
	to *Revision
	// backSince is when the session first decided to go back.
	backSince time.Time
	held      bool
	// cannotRetry is set once an attempt to make a controller try again has failed, mostly because the right is missing.
	cannotRetry bool
	// overshot is the step for which it was reported that others have made more new pods than it asks for.
	overshot int
	// lingers is set while the session waits for nothing but pods that are still ending. toldLingering is set once that was
	// reported.
	lingers, toldLingering bool
	// sighted, leftFor and followed are what a follower has seen: a state that lasts, the finding that a rollout goes back for,
	// and the newest revision of a generation.
	sighted  sighting
	leftFor  *Finding
	followed struct {
		newest     *appsv1.ControllerRevision
		generation int64
	}
	// signedAt is when the session last tried to give a sign of life.
	signedAt time.Time
	// mayWrite is set once the API server has taken a write. refusals are the writes in a row that the server has not taken
	// since, and conflicts those that others came before.
	mayWrite  bool
	refusals  refusals
	conflicts conflicts
	// altered is set once a write that holds the rollout was stored in another form.
	altered *admission.AlteredError
	// attention is how the workload's controller has acted on changes.
	attention attention
	// triedFirst is set once the first write was made as a dry run.
	triedFirst bool
	// toldApplier is set once the tool that applies the workload was named.
	toldApplier bool
	// why says why the old version returns, if no finding does.
	why string
	// toldReturn is set once it was reported that the old version returns.
	toldReturn bool
	// toldHeldBack is set once it was reported that watch data is held back.
	toldHeldBack bool
}

// hasReplicaSets reports whether the revisions of the session's workload are ReplicaSets.
func (s *session) hasReplicaSets() bool { return workload.Of(workload.New(s.kind)).HasReplicaSets }

// open reads a workload and begins to watch it. The caller must close the session's source.
func (e *Engine) open(ctx context.Context, kind string, key types.NamespacedName) (*session, error) {
	w, err := e.Workload(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	return e.openOn(ctx, w)
}

// openOn does what open does for a workload that was just read.
func (e *Engine) openOn(ctx context.Context, w workload.Object) (*session, error) {
	// The watches may begin with an older state.
	s := &session{Engine: e, kind: workload.KindOf(w), key: workload.KeyOf(w), uid: w.GetUID(), written: w, decodeRecord: rememberingDecode()}
	s.memory.began = e.began(true)
	return s, s.watch(ctx, w)
}

// watch begins to watch the session's workload, and waits until the watches have brought everything there is. If that fails,
// nothing is left to close.
func (s *session) watch(ctx context.Context, w workload.Object) (err error) {
	if s.source, err = newSource(s.Client, s.Clock, w, s.observe); err != nil {
		return err
	}
	s.source.Start(ctx)
	if err := s.source.Sync(ctx); err != nil {
		s.source.Close()
		return err
	}
	s.tellHeldBack()
	return nil
}

// observe feeds the meter on every change that the watches bring.
func (s *session) observe() {
	if s.source.Synced() {
		snapshot := s.source.snapshot()
		s.meter.observe(&snapshot)
	}
}

// sleep returns soon after the next change, or at the moment until if that is set. It also returns when a warning is to be
// emitted again.
func (s *session) sleep(ctx context.Context, until time.Time) error {
	if !s.warnNext.IsZero() {
		until = earlier(until, s.warnNext)
	}
	if err := s.source.Sleep(ctx, until); err != nil {
		return err
	}
	return s.pause(ctx, gatherChanges)
}

// snapshot returns what the watches brought, with our own last write if the watches have not brought it yet.
func (s *session) snapshot() Snapshot {
	snapshot := s.source.snapshot()
	if snapshot.Workload == nil {
		return snapshot
	}
	s.overlay(&snapshot)
	snapshot.Deaf, snapshot.deleted = s.eventReader.deaf, s.deleted
	snapshot.Claims, snapshot.NoClaims = s.eventReader.claims()
	switch generation := snapshot.Workload.GetGeneration(); {
	case s.known.newest != nil && s.known.generation == generation:
		s.recall(&snapshot)
	case s.matched.generation == generation:
		snapshot.expect(s.matched.current)
	default:
		if current := snapshot.Current(); current != nil {
			s.matched.generation, s.matched.current = generation, current.UID
		}
	}
	return snapshot
}

// overlay replaces a workload that is older than our own last write by that write.
func (s *session) overlay(snapshot *Snapshot) {
	if s.written == nil {
		return
	}
	order, err := resourceversion.CompareResourceVersion(snapshot.Workload.GetResourceVersion(), s.written.GetResourceVersion())
	if err == nil && order < 0 {
		snapshot.Workload = s.written
	} else {
		s.written = nil
	}
}
