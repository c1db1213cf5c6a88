package rollout

import (
	"context"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// viewUpdate adds to a view of a StatefulSet or DaemonSet what its pods do. It returns when to look again.
func (s *session) viewUpdate(ctx context.Context, view *View) (*View, time.Time, error) {
	state, record, err := openUpdate(view.Workload, s.decodeRecord)
	s.memory.patience = s.patience(record)
	sees := view.Blind == nil && !view.Stale
	if err != nil {
		return nil, time.Time{}, err
	}
	view.State, view.Record = state, record
	switch {
	case state == Open:
		if view.Phase = workload.Standing; s.supersedes(view) || !sees {
			return view, s.warnSilent(view.Workload), nil
		}
		return view, earlierOf(s.viewOpenUpdate(ctx, view), s.warnSilent(view.Workload)), nil
	case !sees:
		return view, s.warnSilent(view.Workload), nil
	}
	if s.record == nil && state == RollingBack {
		s.record = record
	}
	until := earlierOf(s.viewPods(view), s.warnSilent(view.Workload))
	if s.record != nil {
		until = earlierOf(until, s.viewEndOfUpdate(ctx, view, s.source.pods()))
	}
	return view, until, nil
}

// viewPods judges a StatefulSet or DaemonSet without an open rollout by its pods, and returns when to look again.
func (s *session) viewPods(view *View) (until time.Time) {
	pods := s.source.pods()
	c := completionOf(view.Workload, pods, s.Clock.Now())
	switch view.Phase, view.Lacks = c.phase, c.lacks; view.Phase {
	case workload.Unobserved:
		return time.Time{}
	case workload.Progressing:
		until = s.judgePods(view, pods)
	default:
		until = s.believe(view, pods)
	}
	if s.awaited.template != nil && view.Phase == workload.Complete && workload.PodCountsOf(view.Workload).Desired == 0 && s.memory.populated {
		view.overtaken(emptiedText(view.Workload) + " before the awaited version was ready, so that no pod shows that it works")
	}
	return earlierOf(until, c.wake)
}

// viewOpenUpdate adds the progress and the attendance of an open rollout to a view. It returns when to look again.
func (s *session) viewOpenUpdate(ctx context.Context, view *View) (until time.Time) {
	record, now := view.Record, s.Clock.Now()
	pods := s.source.pods()
	o := new(NewSnapshot(view.Workload, nil, pods))
	view.Counts, _ = countPods(o.Pods, workload.UpdatedPod(view.Workload, pods), o.minReadySeconds(), now)
	if !record.Held && workload.ObservedGenerationOf(view.Workload) >= view.Workload.GetGeneration() {
		view.Workload = record.Update.ownStrategy(view.Workload)
		until = s.judgePods(view, pods)
		view.Workload = o.Workload
	}
	o.Newest, _ = s.newestRevision(ctx, o.Workload) // without this right, the view does not show that nobody drives the rollout
	until = earlierOf(until, s.attend(view, o.due(record, now), now))
	if record.Held {
		view.Outcome, view.Message, view.Phase = Paused, "the rollout is held at its step", workload.PhasePaused
	}
	return until
}
