package app

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// undoConfig restores the configuration together with one object.
type undoConfig struct {
	*restoration
	done []restored
	// dry is true if nothing is to be written.
	dry bool
	// before runs before the object is written. It is nil if configuration is to be left alone.
	before func(*corev1.PodTemplateSpec) error
}

// backFlags select what becomes of the configuration when a workload goes back to an earlier revision.
type backFlags struct {
	keepConfig, sharedConfig bool
	// looked caches the versions of the last namespace, so that several objects of one namespace need one read.
	looked *restoration
	// returning maps each namespace to the workloads that the command goes back with.
	returning map[string]map[string]bool
}

func (f *backFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.keepConfig, "keep-config", false, "Leave ConfigMaps and Secrets as they are; only pods go back to the versions that they ran with.")
	cmd.Flags().BoolVar(&f.sharedConfig, "shared-config", false, "Also restore ConfigMaps and Secrets that other workloads use.")
}

func (f *backFlags) validate() error {
	if f.keepConfig && f.sharedConfig {
		return usageError(errors.New("--keep-config and --shared-config exclude each other; give one of them"))
	}
	return nil
}

// leaveConfig makes an engine leave ConfigMaps and Secrets as they are when it goes back, if --keep-config is given.
func (f *backFlags) leaveConfig(engine *rollout.Engine) {
	if f.keepConfig {
		engine.Returning = nil
	}
}

// returns remembers that an object is one to go back with.
func (f *backFlags) returns(info *resource.Info) {
	workload, is := info.Object.(workload.Object)
	if !is {
		return
	}
	if f.returning == nil {
		f.returning = map[string]map[string]bool{}
	}
	if f.returning[info.Namespace] == nil {
		f.returning[info.Namespace] = map[string]bool{}
	}
	f.returning[info.Namespace][nameOf(workload)] = true
}

// restoring prepares to restore the configuration of an object. Heads are restored before the object: a pod whose template
// references the plain name starts with the head's content at that time.
func (f *backFlags) restoring(ctx context.Context, object runtime.Object, engine *rollout.Engine, env *environment) (*undoConfig, error) {
	of, is := object.(workload.Object)
	if !is || !workload.Is(object) || f.keepConfig {
		return &undoConfig{}, nil
	}
	u := &undoConfig{restoration: &restoration{
		configSession: env.sessionOf(engine, of.GetNamespace()), of: of, shared: f.sharedConfig,
		returning: f.returning[of.GetNamespace()],
	}}
	if before := f.looked; before != nil && before.Namespace == u.Namespace {
		u.kept, u.heads = before.kept, before.heads
	} else {
		if _, err := u.lookUp(ctx); err != nil {
			return nil, err
		}
		f.looked = u.restoration
	}
	u.before = func(target *corev1.PodTemplateSpec) error {
		if u.dry || len(u.kept) == 0 {
			return u.checkThere(ctx, target)
		}
		return u.restoreFor(ctx, target)
	}
	return u, nil
}

// restoreFor restores the heads that a template names. It may run again if the write of the object was refused.
func (u *undoConfig) restoreFor(ctx context.Context, template *corev1.PodTemplateSpec) error {
	some, err := u.to(ctx, workload.TemplateOf(u.of), template)
	if err != nil {
		return err
	}
	u.done = append(u.done, some...)
	return nil
}

// after takes back the restored heads if going back has failed. Otherwise it updates the owners of versions. If going back
// may be under way despite an error, the heads stay as they are, since new pods need them.
func (u *undoConfig) after(ctx context.Context, err error) error {
	var uncertain *rollout.UncertainError
	switch {
	case u.restoration == nil, errors.As(err, &uncertain):
		return err
	case err != nil && context.Cause(ctx) == nil:
		// A single error is returned as it is, so that it is printed in kubectl's form.
		if failure := u.takeBack(ctx, u.done); failure != nil {
			return errors.Join(err, failure)
		}
	case err == nil && !u.dry:
		u.Tidy(ctx, store.KindsOf(u.kept), configmap.Settled{Workloads: map[types.UID]bool{u.of.GetUID(): true}})
	}
	return err
}

// startBack begins a stepwise rollout to an earlier revision, and restores its configuration.
func (f *backFlags) startBack(ctx context.Context, env *environment, engine *rollout.Engine, key types.NamespacedName, change rollout.Change,
	options rollout.StartOptions,
) (*rollout.Result, error) {
	if f.keepConfig || options.DryRun != rollout.DryRunNone {
		return engine.Start(ctx, key, change, options)
	}
	d, err := engine.Deployment(ctx, key)
	if err != nil {
		return nil, err
	}
	if change.Leaving == nil {
		change.Leaving = &d.Spec.Template
	}
	config, err := f.restoring(ctx, d, engine, env)
	if err != nil {
		return nil, err
	}
	var target map[string]any
	quiet, try, capture := *engine, options, change
	quiet.Emit, try.DryRun = onlyChecks(engine.Emit), rollout.DryRunServer
	capture.Rewrite = func(template map[string]any) error {
		target = runtime.DeepCopyJSON(template)
		return nil
	}
	if result, err := quiet.Start(ctx, key, capture, try); err != nil || result.Outcome == rollout.Unchanged {
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
	result, err := engine.Start(ctx, key, change, options)
	return result, config.after(ctx, err)
}

// onlyChecks drops all events except those of checks.
func onlyChecks(emit func(time.Time, rollout.Event)) func(time.Time, rollout.Event) {
	return func(at time.Time, event rollout.Event) {
		if _, is := event.(rollout.CheckEvent); is && emit != nil {
			emit(at, event)
		}
	}
}
