package app

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

// backFlags select what becomes of the configuration when a workload goes back to an earlier revision.
type backFlags struct {
	keepConfig, sharedConfig bool
	restore.Undos
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

// backAdvice says which flags help against a refusal.
func backAdvice() restore.Advice {
	return restore.Advice{
		Shared:  "--shared-config changes it all the same, --keep-config leaves it",
		Several: "go back with one after the other and --shared-config, of which the last counts, or with both and --keep-config, which leaves it",
		Missing: "or go back all the same with --keep-config",
		Unkept:  "--keep-config leaves it",
	}
}

// restoring prepares to restore the configuration of an object. It does nothing for objects without rollouts.
func (f *backFlags) restoring(ctx context.Context, object runtime.Object, engine *rollout.Engine, env *environment) (*restore.Undo, error) {
	of, is := object.(workload.Object)
	if !is || !workload.Is(object) || f.keepConfig {
		return &restore.Undo{}, nil
	}
	return f.For(ctx, store.NewSession(engine, of.GetNamespace(), env.configEvent), of, f.sharedConfig, backAdvice())
}

// returns remembers that an object is one to go back with.
func (f *backFlags) returns(info *resource.Info) {
	if of, is := info.Object.(workload.Object); is {
		f.Remember(info.Namespace, of)
	}
}

// startBack begins a stepwise rollout to an earlier revision, and restores its configuration.
func (f *backFlags) startBack(ctx context.Context, env *environment, engine *rollout.Engine, object printers.Object, change rollout.Change,
	options rollout.StartOptions,
) (*rollout.Result, error) {
	kind, key := object.Kind, types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
	if f.keepConfig || options.DryRun != rollout.DryRunNone {
		return engine.Start(ctx, kind, key, change, options)
	}
	return f.Start(ctx, store.NewSession(engine, key.Namespace, env.configEvent), kind, key, change, options, f.sharedConfig, backAdvice())
}
