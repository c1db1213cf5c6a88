package rollout

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ErrHeld reports that a rollout is already held at its step.
var ErrHeld = errors.New("is already paused")

// Opened returns ErrNoRollout if no stepwise rollout of a workload is open. It watches nothing.
func (e *Engine) Opened(ctx context.Context, kind string, key types.NamespacedName) error {
	w, err := e.Workload(ctx, kind, key)
	if err != nil {
		return err
	}
	return e.OpenedOn(ctx, w)
}

// OpenedOn does what Opened does for a workload that was already read.
func (e *Engine) OpenedOn(ctx context.Context, w workload.Object) error {
	_, _, _, err := e.openedOn(ctx, w)
	return err
}

// openedOn returns what is known of a workload's open rollout, or an error if there is none. A deadline alone may not be a
// rollout's. If a Deployment has no other trace of one, openedOn needs no more rights than kubectl's pause, resume and
// restart do.
func (e *Engine) openedOn(ctx context.Context, w workload.Object) (Snapshot, State, *Record, error) {
	var sets []*appsv1.ReplicaSet
	if d, is := w.(*appsv1.Deployment); is {
		var err error
		if sets, err = kube.ReplicaSets(ctx, e.Client, d); err != nil && (isMarked(d) || !apierrors.IsForbidden(err)) {
			return Snapshot{}, Idle, nil, err
		}
	}
	snapshot := NewSnapshot(w, sets, nil)
	state, record, err := gateOf(w).state(&snapshot, decodeRecord)
	if err == nil && state == Idle {
		err = noRolloutOf(w)
	}
	return snapshot, state, record, err
}

// Hold makes an open rollout stand at its step. Whoever drives the rollout ends, and nobody goes on before it is resumed. Hold
// does not pause a Deployment itself, because its controller would then spread the extra pods over both versions.
func (e *Engine) Hold(ctx context.Context, kind string, key types.NamespacedName) (workload.Object, error) {
	for try := 1; ; try++ {
		w, err := e.Workload(ctx, kind, key)
		if err != nil {
			return nil, err
		}
		snapshot, state, record, err := e.openedOn(ctx, w)
		if err != nil {
			return nil, err
		}
		moves := gateOf(w).moves(w, state)
		switch {
		case workload.IsPaused(w), record.Held && moves == "":
			return nil, fmt.Errorf("error: %ss.apps %q %w", workload.ResourceOf(w), key.Name, ErrHeld)
		case moves != "":
			return nil, fmt.Errorf("the rollout of %s %q in namespace %q cannot be held at its step: %s",
				workload.ResourceOf(w), key.Name, key.Namespace, moves)
		}
		s := &session{Engine: e, kind: kind, key: key}
		p := newGatePatch(w)
		held := *gateOf(w).left(p, &snapshot, record, true)
		held.Held = true
		switch err := s.writeRecord(ctx, w, p, held.resting(e.Clock.Now(), restHeld, "")); {
		case err == nil:
			return s.written, nil
		case !apierrors.IsConflict(err) || try >= kube.ConflictTries:
			return nil, err
		}
		if err := kube.PauseForConflict(ctx, e.Clock, try); err != nil {
			return nil, err
		}
	}
}

// atRest returns the gate at which to leave a rollout standing. It keeps the extra pods of the present gate, and lets no more
// pods be missing than the limits ask for. The controller stands as still with that gate: the old pods have already gone, and
// it does not bring them back. Whatever others then do to the Deployment, such as setting another template, takes no more pods
// away at once than the limits allow. The gate of a step would let all of its new pods go.
//
// lower is false if the present gate is as small, or the old pods have yet to go.
func (r *Record) atRest(s *Snapshot) (gate Width, lower bool) {
	d, current := s.deployment(), s.Current()
	if !isGated(d) || d.Spec.Paused || !s.scaled() || current == nil || workload.RevisionOf(current) != r.ToRevision {
		return gate, false
	}
	replicas := workload.ReplicasOf(d)
	limits, limitsErr := r.Plan.Limits.At(replicas)
	present, gateErr := widthOf(d)
	gate = Width{Surge: present.Surge, Unavailable: limits.Unavailable}
	if gate == (Width{}) {
		gate.Unavailable = 1
	}
	gone := replicas - s.oldSize(current)
	return gate, limitsErr == nil && gateErr == nil && gate.Unavailable < present.Unavailable && gate.Unavailable <= gone
}
