package restore

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Undo restores the configuration together with one object.
type Undo struct {
	*Restoration
	done []Written
	// Dry is true if nothing is to be written.
	Dry bool
	// Before runs before the object is written. It is nil if configuration is to be left alone.
	Before func(*corev1.PodTemplateSpec) error
}

// Some reports whether there are versions to restore.
func (u *Undo) Some() bool { return len(u.kept) > 0 }

// Undos restores configuration for the workloads that one command goes back with.
type Undos struct {
	// looked caches the versions of the last namespace, so that several objects of one namespace need one read.
	looked *Restoration
	// together maps each namespace to the workloads that the command goes back with.
	together map[string]map[string]bool
}

// Remember adds a workload that the command goes back with.
func (f *Undos) Remember(namespace string, of workload.Object) {
	if f.together == nil {
		f.together = map[string]map[string]bool{}
	}
	if f.together[namespace] == nil {
		f.together[namespace] = map[string]bool{}
	}
	f.together[namespace][workload.NameOf(of)] = true
}

// For prepares to restore the configuration of a workload. Objects are restored before the workload: a pod whose template
// references the plain name starts with the object's content at that time.
func (f *Undos) For(ctx context.Context, s *store.Session, of workload.Object, shared bool, advice Advice) (*Undo, error) {
	u := &Undo{Restoration: &Restoration{Session: s, Of: of, shared: shared, advice: advice, GoingBack: f.together[s.Namespace]}}
	if before := f.looked; before != nil && before.Namespace == u.Namespace {
		u.kept, u.heads = before.kept, before.heads
	} else {
		if _, err := u.LookUp(ctx); err != nil {
			return nil, err
		}
		f.looked = u.Restoration
	}
	u.Before = func(target *corev1.PodTemplateSpec) error {
		if u.Dry || len(u.kept) == 0 {
			return u.CheckThere(ctx, target)
		}
		return u.restoreFor(ctx, target)
	}
	return u, nil
}

// restoreFor restores the heads that a template names. It may run again if the write of the object was refused.
func (u *Undo) restoreFor(ctx context.Context, template *corev1.PodTemplateSpec) error {
	some, err := u.To(ctx, workload.TemplateOf(u.Of), template)
	if err != nil {
		return err
	}
	u.done = append(u.done, some...)
	return nil
}

// After takes back the restored heads if going back has failed. Otherwise it updates the owners of versions. If going back
// may be under way despite an error, the heads stay as they are, since new pods need them.
func (u *Undo) After(ctx context.Context, err error) error {
	var uncertain *rollout.UncertainError
	switch {
	case u.Restoration == nil, errors.As(err, &uncertain):
		return err
	case err != nil && context.Cause(ctx) == nil:
		// A single error is returned as it is, so that it is printed in kubectl's form.
		if failure := u.takeBack(ctx, u.done); failure != nil {
			return errors.Join(err, failure)
		}
	case err == nil && !u.Dry:
		u.Tidy(ctx, store.KindsOf(u.kept), configmap.Settled{Workloads: map[types.UID]bool{u.Of.GetUID(): true}})
	}
	return err
}

// Start begins a stepwise rollout to an earlier revision, and restores its configuration.
func (f *Undos) Start(ctx context.Context, s *store.Session, kind string, key types.NamespacedName, change rollout.Change, options rollout.StartOptions,
	shared bool, advice Advice,
) (*rollout.Result, error) {
	engine := s.Engine
	live, err := engine.Workload(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	if change.Leaving == nil {
		change.Leaving = workload.TemplateOf(live)
	}
	config, err := f.For(ctx, s, live, shared, advice)
	if err != nil {
		return nil, err
	}
	var target map[string]any
	quiet, try, capture := *engine, options, change
	quiet.Emit, try.DryRun = OnlyChecks(engine.Emit), rollout.DryRunServer
	capture.Rewrite = func(template map[string]any) error {
		target = runtime.DeepCopyJSON(template)
		return nil
	}
	if result, err := quiet.Start(ctx, kind, key, capture, try); err != nil || result.Outcome == rollout.Unchanged {
		return result, err
	}
	template, err := podtemplate.Typed(target)
	if err != nil {
		return nil, err
	}
	if err := config.restoreFor(ctx, template); err != nil {
		return nil, err
	}
	options.SkipChecks = true // they ran before anything was written
	result, err := engine.Start(ctx, kind, key, change, options)
	return result, config.After(ctx, err)
}

// OnlyChecks drops all events except those of checks.
func OnlyChecks(emit func(time.Time, rollout.Event)) func(time.Time, rollout.Event) {
	return func(at time.Time, event rollout.Event) {
		if _, is := event.(rollout.CheckEvent); is && emit != nil {
			emit(at, event)
		}
	}
}
