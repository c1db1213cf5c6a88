package rollout

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ResumeOn goes on with the open rollout of a workload of any kind.
func (e *Engine) ResumeOn(ctx context.Context, kind string, key types.NamespacedName) (*Result, error) {
	if kind == "Deployment" {
		return e.Resume(ctx, key)
	}
	return e.takeUpOther(ctx, kind, key, resuming, nil)
}

// AbortOn goes back from the open rollout of a workload of any kind to the old version.
func (e *Engine) AbortOn(ctx context.Context, kind string, key types.NamespacedName) (*Result, error) {
	if kind == "Deployment" {
		return e.Abort(ctx, key)
	}
	return e.takeUpOther(ctx, kind, key, returning, nil)
}

// HoldOn holds the open rollout of a workload of any kind at its step.
func (e *Engine) HoldOn(ctx context.Context, kind string, key types.NamespacedName) (Workload, error) {
	if kind == "Deployment" {
		d, err := e.Hold(ctx, key)
		if d == nil {
			return nil, err
		}
		return d, err
	}
	return e.holdOther(ctx, strings.ToLower(kind), key)
}

func (e *Engine) takeUpOther(ctx context.Context, kind string, key types.NamespacedName, phase phase, to *Revision) (*Result, error) {
	workload, err := e.Workload(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	state, record, err := OpenIn(workload)
	switch {
	case err != nil:
		return nil, err
	case state == Idle:
		(&session{Engine: e, key: key}).returned(ctx, workload)
		return nil, noRolloutOf(workload)
	}
	s, err := e.openOther(ctx, workload)
	if err != nil {
		return nil, err
	}
	defer s.source.close()
	s.memory.began = e.began(false)
	s.state, s.record, s.latest, s.phase = state, record, workload, phase
	s.to, s.decodeRecord = to, destined(s.decodeRecord, to)
	s.meter.begin(s.record.Plan.Limits, e.Clock.Now())
	switch {
	case state == RollingBack && to == nil:
		s.announceReturn(workload)
	case phase == resuming:
		s.announce(workload)
	}
	return s.run(ctx), nil
}

// announce emits the plan and the step that the rollout goes on with.
func (s *otherSession) announce(live Workload) {
	replicas, desired := stepped(live, s.record.Update), PodCountsOf(live).Desired
	unavailable, err := s.record.Plan.Limits.unavailableOf(live)
	if err != nil {
		return
	}
	s.emit(PlanEvent{
		Replicas: replicas, Limits: Resolved{Unavailable: unavailable}, Steps: s.record.Plan.previewOther(replicas, desired, unavailable),
	})
	s.emit(StepEvent{Step: s.record.Step, Of: len(s.record.Plan.Steps), Target: s.record.Target(replicas)})
}

// holdOther is Hold for a StatefulSet or DaemonSet. Pods that a StatefulSet's partition has released already are still
// replaced.
func (e *Engine) holdOther(ctx context.Context, kind string, key types.NamespacedName) (Workload, error) {
	for try := 1; ; try++ {
		raw, err := getRaw(ctx, e.Client, kind+"s", key.Namespace, key.Name)
		if err != nil {
			return nil, explainOn(ctx, "get", kind, key, err)
		}
		live, err := typedOther(raw)
		if err != nil {
			return nil, err
		}
		state, record, err := OpenIn(live)
		switch {
		case err != nil:
			return nil, err
		case state == Idle:
			return nil, noRolloutOf(live)
		case state == RollingBack:
			return nil, fmt.Errorf("the rollout of %s %q in namespace %q cannot be held at its step: the old version is returning by itself; "+
				"abort sees to it that it is complete", kind, key.Name, key.Namespace)
		case state == Disturbed:
			return nil, fmt.Errorf("the rollout of %s %q in namespace %q cannot be held at its step: somebody has changed its update strategy, "+
				"and its controller goes on by itself; abort goes back", kind, key.Name, key.Namespace)
		case record.Held:
			return nil, fmt.Errorf("error: %ss.apps %q %w", kind, key.Name, ErrHeld)
		}
		held := *record
		held.Held = true
		p := newGatePatch(live)
		signed, err := e.signed(held.resting(e.Clock.Now(), restHeld, ""), live)
		if err != nil {
			return nil, err
		}
		if err := p.record(signed); err != nil {
			return nil, err
		}
		written, err := e.patchWorkload(ctx, live, p, false)
		if err == nil {
			return written, nil
		}
		if err = p.refused(answered(err)); !apierrors.IsConflict(err) || try >= ConflictTries {
			return nil, explainOn(ctx, "patch", kind, key, err)
		}
		if err := PauseForConflict(ctx, e.Clock, try); err != nil {
			return nil, err
		}
	}
}

func noRolloutOf(workload Workload) error {
	return fmt.Errorf("%w for %s %q in namespace %q", ErrNoRollout, kindOf(workload), workload.GetName(), workload.GetNamespace())
}

// Workload reads a Deployment, StatefulSet or DaemonSet.
func (e *Engine) Workload(ctx context.Context, kind string, key types.NamespacedName) (Workload, error) {
	var workload Workload
	var err error
	switch apps := e.Client.AppsV1(); kind {
	case "StatefulSet":
		workload, err = apps.StatefulSets(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	case "DaemonSet":
		workload, err = apps.DaemonSets(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	default:
		workload, err = apps.Deployments(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	}
	if err != nil {
		return nil, explainOn(ctx, "get", strings.ToLower(kind), key, err)
	}
	return workload, nil
}
