// Package pause holds the command pause.
package pause

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/adjust"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const pauseExample = `  # Hold web's open rollout at its step, or else pause web
  kubectl rollout-plus pause deployment/web`

// NewCommand returns the command pause.
func NewCommand(env *cli.Env) *cobra.Command {
	a := adjust.NewAdjuster()
	cmd := &cobra.Command{
		Use:   "pause (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Pause a Deployment, or hold its stepwise rollout",
		Long: "Pause a Deployment, as kubectl rollout pause does: changes of its pod template\n" +
			"wait until it is resumed.\n\n" +
			"If a stepwise rollout is open, hold it at its step instead. It keeps its exact\n" +
			"numbers of pods, its driver ends, and resume goes on.",
		Example:           pauseExample,
		ValidArgsFunction: env.CompleteDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.Each(env, args, nil, func(info *resource.Info) error { return Pause(cmd.Context(), env, &a, info) })
		},
	}
	a.Add(cmd)
	return cmd
}

// Pause holds an open rollout at its step. It pauses any other object as kubectl does.
func Pause(ctx context.Context, env *cli.Env, a *adjust.Adjuster, info *resource.Info) error {
	var held workload.Object
	err := a.Adjust(ctx, info, adjust.Adjustment{
		Check: func() (err error) {
			env.WarnAppliedInfo(info)
			if cli.MayBeOpen(info) {
				held, err = holdInstead(ctx, env, a.FieldManager, info)
			}
			return err
		},
		Mutate: set.PatchFn(polymorphichelpers.ObjectPauserFn), Only: cli.OnlyDeployments,
	})
	switch {
	case held != nil:
		return a.Printed(env, held, "paused")
	case err != nil:
		return adjust.WhileAt(ctx, err, info, "paused")
	}
	return a.Printed(env, info.Object, "paused")
}

// errHeldInstead ends a pause after the open rollout was held.
var errHeldInstead = errors.New("the rollout is held at its step")

// holdInstead holds an open rollout, and then returns errHeldInstead. It returns nil for both if none is open.
func holdInstead(ctx context.Context, env *cli.Env, fieldManager string, info *resource.Info) (workload.Object, error) {
	held, err := hold(ctx, env, fieldManager, info)
	switch {
	case err == nil:
		return held, errHeldInstead
	case errors.Is(err, rollout.ErrNoRollout):
		return nil, nil
	case errors.Is(err, rollout.ErrHeld):
		err = cli.More(err, fmt.Sprintf(" in namespace %q; %s goes on", info.Namespace, cli.CommandOn("resume", cli.ObjectIn(info))))
	}
	return nil, err
}

func hold(ctx context.Context, env *cli.Env, fieldManager string, info *resource.Info) (workload.Object, error) {
	engine, err := env.Engine(fieldManager, nil)
	if err != nil {
		return nil, err
	}
	held, err := engine.Hold(ctx, info.Mapping.GroupVersionKind.Kind, types.NamespacedName{Namespace: info.Namespace, Name: info.Name})
	if held != nil {
		held.GetObjectKind().SetGroupVersionKind(info.Mapping.GroupVersionKind)
	}
	return held, err
}
