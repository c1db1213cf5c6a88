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

// ErrHeld tells that a rollout is held at its step already.
var ErrHeld = errors.New("is already paused")

// Opened gives ErrNoRollout where no stepwise rollout is open. It watches nothing.
func (e *Engine) Opened(ctx context.Context, key types.NamespacedName) error {
	_, _, err := e.opened(ctx, key)
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

func (e *Engine) opened(ctx context.Context, key types.NamespacedName) (*appsv1.Deployment, *Record, error) {
	d, err := e.Deployment(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	sets, err := e.replicaSets(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	state, record, err := OpenRollout(d, sets)
	if err == nil && state == Idle {
		err = fmt.Errorf("%w for deployment %q", ErrNoRollout, key.Name)
	}
	return d, record, err
}

// replicaSets reads the ReplicaSets that a Deployment controls.
func (e *Engine) replicaSets(ctx context.Context, d *appsv1.Deployment) ([]*appsv1.ReplicaSet, error) {
	sets, err := e.Client.AppsV1().ReplicaSets(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
	if err != nil {
		return nil, fmt.Errorf("cannot list the ReplicaSets of deployment %q in namespace %q: %w", d.Name, d.Namespace, err)
	}
	all := make([]*appsv1.ReplicaSet, len(sets.Items))
	for i := range sets.Items {
		all[i] = &sets.Items[i]
	}
	return NewSnapshot(d, all, nil).ReplicaSets, nil
}

// Hold lets an open rollout stand at its step: whoever drives it ends, and nobody goes on before it is resumed. The
// Deployment itself is not paused, since the controller would then spread the extra pods over both versions.
func (e *Engine) Hold(ctx context.Context, key types.NamespacedName) (*appsv1.Deployment, error) {
	s := &session{Engine: e, key: key}
	for {
		d, record, err := e.opened(ctx, key)
		if err != nil {
			return nil, err
		}
		if record.Held || d.Spec.Paused {
			return nil, fmt.Errorf("error: deployments.apps %q %w", key.Name, ErrHeld)
		}
		held := *record
		held.Held = true
		p := newGatePatch(d)
		if err := p.record(&held); err != nil {
			return nil, err
		}
		switch err := s.write(ctx, p); {
		case err == nil:
			return s.written, nil
		case !apierrors.IsConflict(err):
			return nil, err
		}
	}
}
