package rollout

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Resume goes on with the open rollout of a workload, from the state in the cluster alone. If somebody has changed the template
// meanwhile, it becomes the new version.
func (e *Engine) Resume(ctx context.Context, kind string, key types.NamespacedName) (*Result, error) {
	return e.goOn(ctx, kind, key, resuming, nil)
}

// Abort goes back from the open rollout of a workload to the old version.
func (e *Engine) Abort(ctx context.Context, kind string, key types.NamespacedName) (*Result, error) {
	return e.goOn(ctx, kind, key, returning, nil)
}

// goOn takes up an open rollout. It may go back to another revision than the one that the rollout came from.
func (e *Engine) goOn(ctx context.Context, kind string, key types.NamespacedName, as phase, to *Revision) (*Result, error) {
	s, err := e.standing(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	defer s.source.Close()
	s.meter.begin(s.record.Plan.Limits, s.Clock.Now())
	if snapshot := s.snapshot(); snapshot.Workload != nil && to == nil && (as == resuming || s.state == RollingBack) {
		s.announce(snapshot.Workload)
	}
	s.phase, s.to, s.decodeRecord = as, to, destined(s.decodeRecord, to)
	return s.run(ctx), nil
}

// standing opens a session on a workload whose rollout is open.
func (e *Engine) standing(ctx context.Context, kind string, key types.NamespacedName) (*session, error) {
	live, err := e.Workload(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	if !MayBeOpen(live) {
		return nil, nothingToGoOn(live)
	}
	s, err := e.openOn(ctx, live)
	if err != nil {
		return nil, err
	}
	s.memory.began = e.began(false)
	if err = s.findOpen(ctx, live); err != nil {
		s.source.Close()
		return nil, err
	}
	return s, nil
}

// findOpen finds the open rollout of the session's workload.
func (s *session) findOpen(ctx context.Context, live workload.Object) error {
	snapshot, err := s.settled(ctx, live)
	if err == nil {
		s.state, s.record, err = gateOf(live).state(&snapshot, s.decodeRecord)
	}
	if err == nil && s.state == Idle {
		s.returned(ctx, snapshot.Workload)
		err = nothingToGoOn(live)
	}
	return err
}

// settled returns a workload with the ReplicaSets that may show more of its rollout, once the watches have brought them.
func (s *session) settled(ctx context.Context, live workload.Object) (Snapshot, error) {
	if !s.hasReplicaSets() {
		return NewSnapshot(live, nil, nil), nil
	}
	_, snapshot, err := s.settle(ctx)
	return snapshot, err
}

func noRolloutOf(w workload.Object) error {
	return fmt.Errorf("%w for %s %q in namespace %q", ErrNoRollout, workload.ResourceOf(w), w.GetName(), w.GetNamespace())
}

// nothingToGoOn is noRolloutOf for a command that would go on with a rollout.
func nothingToGoOn(w workload.Object) error {
	if workload.KindOf(w) != "Deployment" {
		return noRolloutOf(w)
	}
	return fmt.Errorf("%w; 'kubectl rollout-plus start --help' tells how to begin one", noRolloutOf(w))
}

// announce emits the plan and the step that the rollout goes on with, or that the old version is returning.
func (s *session) announce(live workload.Object) {
	if s.state == RollingBack {
		s.announceReturn(live)
		return
	}
	g := gateOf(live)
	replicas := g.size(live, s.record)
	resolved, err := g.limits(live, s.record.Plan.Limits)
	planned, planErr := g.preview(live, s.record)
	if err == nil && planErr == nil {
		s.emit(PlanEvent{Replicas: replicas, Limits: resolved, Steps: planned})
		s.emit(StepEvent{Step: s.record.Step, Of: len(s.record.Plan.Steps), Target: s.record.Target(replicas)})
	}
}

// announceReturn emits that the old version is already returning. The workload has the old version's template again.
func (s *session) announceReturn(live workload.Object) {
	var images []string
	for _, container := range workload.TemplateOf(live).Spec.Containers {
		images = append(images, container.Image)
	}
	s.tellReturn(images)
}

// tellReturn emits once that the old version returns.
func (s *session) tellReturn(images []string) {
	if !s.toldReturn && s.record != nil {
		s.emit(RollbackEvent{Revision: s.record.From.Number, Images: images})
		s.toldReturn = true
	}
}

// takeUp returns the first action of a resumed rollout. A template that others changed becomes the new version. A
// record that others removed comes back, and a held rollout is no longer held. If others opened the gate, the
// workload gets its other fields back.
func (s *session) takeUp(snapshot *Snapshot, now time.Time) action {
	s.memory = s.memory.enter(snapshot.StaleSince, s.record.Step, now)
	g, w, version := gateOf(snapshot.Workload), snapshot.Workload, snapshot.version()
	switch {
	case s.state == Disturbed:
		next := g.disturbed(w, true, now)
		if g.reclaims() {
			s.phase = stepping
		}
		return next
	case s.state != Open:
		s.phase = stepping
		return s.closed(snapshot, s.state, now)
	case version == nil:
		return s.awaitController(snapshot, now)
	}
	s.phase = stepping
	if version.is(s.record.From) {
		return g.wentBack(snapshot, s.record) // somebody has gone back already
	}
	_, recorded := w.GetAnnotations()[Annotation]
	if recorded && version.Number == s.record.ToRevision && !s.record.Held && s.record.Rest == nil {
		return await{until: s.Clock.Now()}
	}
	return adopt{revision: version.Number}
}

// awaitController waits for the controller to see what others changed, for no longer than a step may take. If the
// controller does not run, the session stops instead of going back: it does not undo what others changed.
func (s *session) awaitController(snapshot *Snapshot, now time.Time) action {
	if !snapshot.StaleSince.IsZero() {
		return await{}
	}
	next := overdue(gateOf(snapshot.Workload), snapshot, s.record, s.memory, await{}, now)
	if back, is := next.(goBack); is {
		return stop{outcome: Failed, finding: back.finding}
	}
	return next
}

// adopt takes the present template as the rollout's new version, and lets a held rollout go on.
func (s *session) adopt(ctx context.Context, w workload.Object, a adopt) error {
	record := s.record.driven().alive(s.Clock.Now())
	record.ToRevision, record.Held = a.revision, false
	err := s.writeRecord(ctx, w, newGatePatch(w), record)
	if err != nil && s.state == Open {
		s.phase = resuming // otherwise the new template would stop the rollout before it is adopted
	}
	return err
}
