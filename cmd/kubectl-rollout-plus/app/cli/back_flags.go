package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// BackFlags select what becomes of the configuration when a workload goes back to an earlier revision.
type BackFlags struct {
	KeepConfig, SharedConfig bool
	restore.Undos
}

// Add adds the flags to a command.
func (f *BackFlags) Add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.KeepConfig, "keep-config", false, "Leave ConfigMaps and Secrets as they are; only pods go back to the versions that they ran with.")
	cmd.Flags().BoolVar(&f.SharedConfig, "shared-config", false, "Also restore ConfigMaps and Secrets that other workloads use.")
}

// Validate returns an error if the flags exclude each other.
func (f *BackFlags) Validate() error {
	if f.KeepConfig && f.SharedConfig {
		return UsageError(errors.New("--keep-config and --shared-config exclude each other; give one of them"))
	}
	return nil
}

// LeaveConfig makes an engine leave ConfigMaps and Secrets as they are when it goes back, if --keep-config is given.
func (f *BackFlags) LeaveConfig(engine *rollout.Engine) {
	if f.KeepConfig {
		engine.Returning = nil
	}
}

// BackAdvice says which flags help against a refusal.
func BackAdvice() restore.Advice {
	return restore.Advice{
		Shared:  "--shared-config changes it all the same, --keep-config leaves it",
		Several: "go back with one after the other and --shared-config, of which the last counts, or with both and --keep-config, which leaves it",
		Missing: "or go back all the same with --keep-config",
		Unkept:  "--keep-config leaves it",
	}
}

// Restoring prepares to restore the configuration of an object. It does nothing for objects without rollouts.
func (f *BackFlags) Restoring(ctx context.Context, object runtime.Object, engine *rollout.Engine, env *Env) (*restore.Undo, error) {
	of, is := object.(workload.Object)
	if !is || !workload.Is(object) || f.KeepConfig {
		return &restore.Undo{}, nil
	}
	return f.For(ctx, store.NewSession(engine, of.GetNamespace(), env.ConfigEvent), of, f.SharedConfig, BackAdvice())
}

// Returns remembers that an object is one to go back with.
func (f *BackFlags) Returns(info *resource.Info) {
	if of, is := info.Object.(workload.Object); is {
		f.Remember(info.Namespace, of)
	}
}

// StartBack begins a stepwise rollout to an earlier revision, and restores its configuration.
func (f *BackFlags) StartBack(ctx context.Context, env *Env, engine *rollout.Engine, object printers.Object, change rollout.Change,
	options rollout.StartOptions,
) (*rollout.Result, error) {
	kind, key := object.Kind, types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
	if f.KeepConfig || options.DryRun != rollout.DryRunNone {
		return engine.Start(ctx, kind, key, change, options)
	}
	return f.Start(ctx, store.NewSession(engine, key.Namespace, env.ConfigEvent), kind, key, change, options, f.SharedConfig, BackAdvice())
}
