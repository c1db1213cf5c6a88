package rollout

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Resume goes on with an open rollout, from the state in the cluster alone. If somebody has changed the template
// meanwhile, it becomes the new version.
func (e *Engine) Resume(ctx context.Context, key types.NamespacedName) (*Result, error) {
	s, record, err := e.standing(ctx, key)
	if err != nil {
		return nil, err
	}
	defer s.source.close()
	s.announce(record)
	s.phase = resuming
	return s.run(ctx), nil
}

// takeUp returns the first action of a resumed rollout. A template that others changed becomes the new version. A
// record that others removed comes back, and a held rollout is no longer held. If others opened the gate, the
// Deployment gets its other fields back.
func (s *session) takeUp(snapshot *Snapshot, now time.Time) action {
	s.memory = s.memory.enter(snapshot.StaleSince, s.record.Step, now)
	d, current := snapshot.deployment(), snapshot.Current()
	switch {
	case s.state == Disturbed:
		return finish{outcome: Done}
	case s.state != Open:
		s.phase = stepping
		return s.closed(snapshot, s.state)
	case !snapshot.Observed() || current == nil || RevisionOf(current) != RevisionOf(d):
		return s.awaitController(snapshot, now)
	}
	s.phase = stepping
	if current.Name == s.record.From.ReplicaSet {
		return finish{outcome: RolledBack} // somebody has gone back already
	}
	_, recorded := d.Annotations[Annotation]
	foreign := RevisionOf(d) != s.record.ToRevision
	if recorded && !foreign && !s.record.Held && s.record.Rest == nil {
		return await{until: s.Clock.Now()}
	}
	return adopt{revision: RevisionOf(d)}
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
func (s *session) adopt(ctx context.Context, d *appsv1.Deployment, a adopt) error {
	record := s.record.driven().alive(s.Clock.Now())
	record.ToRevision, record.Held = a.revision, false
	err := s.writeRecord(ctx, d, newGatePatch(d), record)
	if err != nil {
		s.phase = resuming
	}
	return err
}

// Abort goes back from an open rollout to the old version.
func (e *Engine) Abort(ctx context.Context, key types.NamespacedName) (*Result, error) {
	return e.abort(ctx, key, nil)
}

// abort goes back to a revision, or to the one that the rollout came from if to is nil.
func (e *Engine) abort(ctx context.Context, key types.NamespacedName, to *Revision) (*Result, error) {
	s, record, err := e.standing(ctx, key)
	if err != nil {
		return nil, err
	}
	defer s.source.close()
	s.phase, s.to, s.decodeRecord = returning, to, destined(s.decodeRecord, to)
	if s.state == RollingBack && to == nil {
		s.announce(record)
	} else {
		s.meter.begin(record.Plan.Limits, s.Clock.Now())
	}
	return s.run(ctx), nil
}

// announceReturn emits that the old version is already returning. The workload has the old version's template again.
func (s *session) announceReturn(live Workload) {
	var images []string
	for _, container := range TemplateOf(live).Spec.Containers {
		images = append(images, container.Image)
	}
	s.emit(RollbackEvent{Revision: s.record.From.Number, Images: images})
}

// standing opens a session on a Deployment whose rollout is open.
func (e *Engine) standing(ctx context.Context, key types.NamespacedName) (*session, *Record, error) {
	s, err := e.open(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	s.memory.began = e.began(false)
	_, snapshot, err := s.settle(ctx)
	if err == nil {
		s.state, s.record, err = OpenRollout(snapshot.deployment(), snapshot.ReplicaSets)
	}
	if err == nil && s.state == Idle {
		s.returned(ctx, snapshot.deployment())
		err = fmt.Errorf("%w for deployment %q in namespace %q; 'kubectl rollout-plus start --help' tells how to begin one",
			ErrNoRollout, key.Name, key.Namespace)
	}
	if err != nil {
		s.source.close()
		return nil, nil, err
	}
	return s, s.record, nil
}

// announce emits the plan that the rollout goes on with, or that the old version is returning.
func (s *session) announce(record *Record) {
	snapshot := s.snapshot()
	s.meter.begin(record.Plan.Limits, s.Clock.Now())
	if snapshot.Workload == nil {
		return
	}
	if s.state == RollingBack {
		s.announceReturn(snapshot.deployment())
		return
	}
	replicas := replicasOf(snapshot.deployment())
	resolved, err := record.Plan.Limits.At(replicas)
	planned, planErr := record.Plan.Preview(replicas)
	if err == nil && planErr == nil {
		s.emit(PlanEvent{Replicas: replicas, Limits: resolved, Steps: planned})
		s.emit(StepEvent{Step: record.Step, Of: len(record.Plan.Steps), Target: record.Target(replicas)})
	}
}
