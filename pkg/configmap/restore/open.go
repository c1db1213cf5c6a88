package restore

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// OnReturn returns a hook that restores the configuration when the engine rolls back. The rollback goes on even if that
// fails.
func OnReturn(engine *rollout.Engine, emit event.Sink) func(context.Context, workload.Object, *corev1.PodTemplateSpec, *rollout.Record) {
	return func(ctx context.Context, of workload.Object, template *corev1.PodTemplateSpec, record *rollout.Record) {
		r := &Restoration{Session: store.NewSession(engine, of.GetNamespace(), emit), Of: of, Lenient: true}
		var err error
		if r.note = store.NoteOf(record); r.note != nil {
			err = giveBack(ctx, r.Session, r.note)
		}
		some := false
		if err == nil {
			some, err = r.LookUp(ctx)
		}
		if err == nil && some {
			_, err = r.To(ctx, workload.TemplateOf(of), template)
		}
		if err != nil && context.Cause(ctx) == nil {
			r.Emit.Note("warning: the configuration of the old version could not be restored: %v", err)
		}
	}
}

// Work is work on an open rollout.
type Work func(context.Context, *rollout.Engine, types.NamespacedName) (*rollout.Result, error)

// ThenConclude wraps work on an open rollout. If a change of configuration began the rollout, it concludes that change as well.
func ThenConclude(emit event.Sink, kind string, work Work) Work {
	return func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		returned := false
		back := engine.Returning
		engine.Returning = func(ctx context.Context, of workload.Object, template *corev1.PodTemplateSpec, record *rollout.Record) {
			returned = true
			back(ctx, of, template, record)
		}
		result, err := ThenSweep(emit, work)(ctx, engine, key)
		if err != nil || store.NoteOf(result.Record) == nil {
			return result, err
		}
		conclude(ctx, store.NewSession(engine, key.Namespace, emit), kind, key, result, returned)
		return result, nil
	}
}

// ThenSweep runs work on a rollout and then removes versions that nothing needs any more: a template from kubectl apply, for
// example, may have replaced a reference. If a change of configuration began the rollout, that change handles its versions
// itself. Without the rights, it removes nothing; a later command will.
func ThenSweep(emit event.Sink, work Work) Work {
	return func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		result, err := work(ctx, engine, key)
		over := err == nil && (result.Outcome == rollout.Done || result.Outcome == rollout.RolledBack)
		if !over || context.Cause(ctx) != nil || store.NoteOf(result.Record) != nil {
			return result, err
		}
		s := store.NewSession(engine, key.Namespace, emit)
		failure := s.Versions.Sweep(ctx, []configmap.Kind{configmap.ConfigMap, configmap.Secret}, configmap.Settled{})
		if failure != nil && !apierrors.IsForbidden(failure) && context.Cause(ctx) == nil {
			s.Emit.Note("warning: %v; the next command tries again", failure)
		}
		return result, nil
	}
}
