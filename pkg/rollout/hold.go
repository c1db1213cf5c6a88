package rollout

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ErrHeld reports that a rollout is already held at its step.
var ErrHeld = errors.New("is already paused")

// Opened returns ErrNoRollout if no stepwise rollout is open. It watches nothing.
func (e *Engine) Opened(ctx context.Context, key types.NamespacedName) error {
	_, _, _, err := e.opened(ctx, key)
	return err
}

// OpenedOn does what Opened does for a workload that was already read.
func (e *Engine) OpenedOn(ctx context.Context, workload Workload) error {
	if d, is := workload.(*appsv1.Deployment); is {
		_, _, _, err := e.openedOn(ctx, d)
		return err
	}
	state, _, err := OpenIn(workload)
	if err == nil && state == Idle {
		err = noRolloutOf(workload)
	}
	return err
}

// Deployment reads a Deployment.
func (e *Engine) Deployment(ctx context.Context, key types.NamespacedName) (*appsv1.Deployment, error) {
	d, err := e.Client.AppsV1().Deployments(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, explain(ctx, "get", key, err)
	}
	return d, nil
}

func (e *Engine) opened(ctx context.Context, key types.NamespacedName) (Snapshot, State, *Record, error) {
	d, err := e.Deployment(ctx, key)
	if err != nil {
		return Snapshot{}, Idle, nil, err
	}
	return e.openedOn(ctx, d)
}

// openedOn returns what is known of a Deployment's open rollout, or an error if there is none. A deadline alone may not be a
// rollout's. If the Deployment has no other trace of one, openedOn needs no more rights than kubectl's pause, resume and
// restart do.
func (e *Engine) openedOn(ctx context.Context, d *appsv1.Deployment) (Snapshot, State, *Record, error) {
	sets, err := replicaSets(ctx, e.Client, d)
	if err != nil && (isMarked(d) || !apierrors.IsForbidden(err)) {
		return Snapshot{}, Idle, nil, err
	}
	state, record, err := OpenRollout(d, sets)
	if err == nil && state == Idle {
		err = noRolloutOf(d)
	}
	return NewSnapshot(d, sets, nil), state, record, err
}

// Hold makes an open rollout stand at its step. Whoever drives the rollout ends, and nobody goes on before it is resumed. Hold
// does not pause the Deployment itself, because its controller would then spread the extra pods over both versions.
func (e *Engine) Hold(ctx context.Context, key types.NamespacedName) (*appsv1.Deployment, error) {
	s := &session{Engine: e, key: key}
	for try := 1; ; try++ {
		snapshot, state, record, err := e.opened(ctx, key)
		if err != nil {
			return nil, err
		}
		d := snapshot.deployment()
		if record.Held || d.Spec.Paused {
			return nil, fmt.Errorf("error: deployments.apps %q %w", key.Name, ErrHeld)
		}
		if moves := moves(state, d); moves != "" {
			return nil, fmt.Errorf("the rollout of deployment %q in namespace %q cannot be held at its step: %s", key.Name, key.Namespace, moves)
		}
		held := *record
		held.Held = true
		p := newGatePatch(d)
		if gate, lower := held.atRest(&snapshot); lower {
			held = *held.taking(d)
			held.opens(gate.Strategy(replicasOf(d), held.Plan.Limits))
			p.settings(held.inForce(d))
		}
		signed, err := e.signed(held.resting(e.Clock.Now(), restHeld, ""), d)
		if err != nil {
			return nil, err
		}
		if err := p.record(signed); err != nil {
			return nil, err
		}
		switch err := s.write(ctx, p); {
		case err == nil:
			return s.written, nil
		case !apierrors.IsConflict(err) || try >= ConflictTries:
			return nil, err
		}
		if err := PauseForConflict(ctx, e.Clock, try); err != nil {
			return nil, err
		}
	}
}

// moves says why an open rollout does not stand still by itself, and what can be done. It returns "" if a gate holds the
// rollout.
func moves(state State, d *appsv1.Deployment) string {
	switch {
	case state == RollingBack:
		return "the old version is returning by itself; abort sees to it that it is complete"
	case state == Disturbed:
		return "somebody has changed the fields that hold it, and the Deployment controller goes on by itself; " +
			"resume gives the others of them back, abort goes back"
	case !isGated(d):
		return "the last step has nothing left to hold back, and the Deployment controller completes it by itself; abort goes back"
	}
	return ""
}

// atRest returns the gate at which to leave a rollout standing. It keeps the extra pods of the present gate, and lets no more
// pods be missing than the limits ask for. The controller stands as still with that gate: the old pods have already gone, and
// it does not bring them back. Whatever others then do to the Deployment, such as setting another template, takes no more pods
// away at once than the limits allow. The gate of a step would let all of its new pods go.
//
// lower is false if the present gate is as small, or the old pods have yet to go.
func (r *Record) atRest(s *Snapshot) (gate Width, lower bool) {
	d, current := s.deployment(), s.Current()
	if !isGated(d) || d.Spec.Paused || !s.scaled() || current == nil || RevisionOf(current) != r.ToRevision {
		return gate, false
	}
	replicas := replicasOf(d)
	limits, limitsErr := r.Plan.Limits.At(replicas)
	present, gateErr := widthOf(d)
	gate = Width{Surge: present.Surge, Unavailable: limits.Unavailable}
	if gate == (Width{}) {
		gate.Unavailable = 1
	}
	gone := replicas - s.oldSize(current)
	return gate, limitsErr == nil && gateErr == nil && gate.Unavailable < present.Unavailable && gate.Unavailable <= gone
}
