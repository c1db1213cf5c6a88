package app

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// returning returns a hook that restores the configuration when the engine rolls back. The rollback goes on even if that
// fails.
func (env *environment) returning(engine *rollout.Engine) func(context.Context, workload.Object, *corev1.PodTemplateSpec, *rollout.Record) {
	return func(ctx context.Context, of workload.Object, template *corev1.PodTemplateSpec, record *rollout.Record) {
		r := &restoration{configSession: env.sessionOf(engine, of.GetNamespace()), of: of, lenient: true}
		var err error
		if r.note = store.NoteOf(record); r.note != nil {
			err = r.giveBack(ctx, r.note)
		}
		some := false
		if err == nil {
			some, err = r.lookUp(ctx)
		}
		if err == nil && some {
			_, err = r.to(ctx, workload.TemplateOf(of), template)
		}
		if err != nil && context.Cause(ctx) == nil {
			r.tell("warning: the configuration of the old version could not be restored: %v", err)
		}
	}
}

// onOpen is work on an open rollout.
type onOpen func(context.Context, *rollout.Engine, types.NamespacedName) (*rollout.Result, error)

// minding wraps work on an open rollout. If a change of configuration began the rollout, it concludes that change as well.
func (env *environment) minding(kind string, work onOpen) onOpen {
	return func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		returned := false
		back := engine.Returning
		engine.Returning = func(ctx context.Context, of workload.Object, template *corev1.PodTemplateSpec, record *rollout.Record) {
			returned = true
			back(ctx, of, template, record)
		}
		result, err := env.sweeping(work)(ctx, engine, key)
		if err != nil || store.NoteOf(result.Record) == nil {
			return result, err
		}
		env.sessionOf(engine, key.Namespace).concludeChange(ctx, kind, key, result, returned)
		return result, nil
	}
}

// sweeping runs work on a rollout and then removes versions that nothing needs any more: a template from kubectl apply, for
// example, may have replaced a reference. If a change of configuration began the rollout, that change handles its versions
// itself. Without the rights, sweeping removes nothing; a later command will.
func (env *environment) sweeping(work onOpen) onOpen {
	return func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		result, err := work(ctx, engine, key)
		over := err == nil && (result.Outcome == rollout.Done || result.Outcome == rollout.RolledBack)
		if !over || context.Cause(ctx) != nil || store.NoteOf(result.Record) != nil {
			return result, err
		}
		s := env.sessionOf(engine, key.Namespace)
		failure := s.Versions.Sweep(ctx, []configmap.Kind{configmap.ConfigMap, configmap.Secret}, configmap.Settled{})
		if failure != nil && !apierrors.IsForbidden(failure) && context.Cause(ctx) == nil {
			s.tell("warning: %v; the next command tries again", failure)
		}
		return result, nil
	}
}
