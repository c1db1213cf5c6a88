package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const pauseExample = `  # Hold web's open rollout at its step, or else pause web
  kubectl rollout-plus pause deployment/web`

func newPauseCommand(env *environment) *cobra.Command {
	a := newAdjuster()
	cmd := &cobra.Command{
		Use:   "pause (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Short: "Pause a Deployment, or hold its stepwise rollout",
		Long: "Pause a Deployment, as kubectl rollout pause does: changes of its pod template\n" +
			"wait until it is resumed.\n\n" +
			"If a stepwise rollout is open, hold it at its step instead. It keeps its exact\n" +
			"numbers of pods, its driver ends, and resume goes on.",
		Example:           pauseExample,
		ValidArgsFunction: env.completeDeployment(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.each(env, args, nil, func(info *resource.Info) error { return pause(cmd.Context(), env, &a, info) })
		},
	}
	a.add(cmd)
	return cmd
}

// pause holds an open rollout at its step. It pauses any other object as kubectl does.
func pause(ctx context.Context, env *environment, a *adjuster, info *resource.Info) error {
	var held workload.Object
	err := a.adjust(ctx, info, adjustment{
		check: func() (err error) {
			env.warnAppliedInfo(info)
			if mayBeOpen(info) {
				held, err = holdInstead(ctx, env, a.fieldManager, info)
			}
			return err
		},
		mutate: set.PatchFn(polymorphichelpers.ObjectPauserFn), only: onlyDeployments,
	})
	switch {
	case held != nil:
		return a.printed(env, held, "paused")
	case err != nil:
		return whileAt(ctx, err, info, "paused")
	}
	return a.printed(env, info.Object, "paused")
}

// errHeldInstead ends a pause after the open rollout was held.
var errHeldInstead = errors.New("the rollout is held at its step")

// holdInstead holds an open rollout, and then returns errHeldInstead. It returns nil for both if none is open.
func holdInstead(ctx context.Context, env *environment, fieldManager string, info *resource.Info) (workload.Object, error) {
	held, err := hold(ctx, env, fieldManager, info)
	switch {
	case err == nil:
		return held, errHeldInstead
	case errors.Is(err, rollout.ErrNoRollout):
		return nil, nil
	case errors.Is(err, rollout.ErrHeld):
		err = more(err, fmt.Sprintf(" in namespace %q; %s goes on", info.Namespace, commandOn("resume", objectIn(info))))
	}
	return nil, err
}

// whileAt adds to an error from the end of the context that an object was being changed. The write may have arrived.
func whileAt(ctx context.Context, err error, info *resource.Info, done string) error {
	return cutShort(ctx, err, fmt.Sprintf("while %s was %s; %s shows whether it is", objectIn(info), done, commandOn("status", objectIn(info))))
}

func hold(ctx context.Context, env *environment, fieldManager string, info *resource.Info) (workload.Object, error) {
	engine, err := env.engine(fieldManager, nil)
	if err != nil {
		return nil, err
	}
	held, err := engine.Hold(ctx, info.Mapping.GroupVersionKind.Kind, types.NamespacedName{Namespace: info.Namespace, Name: info.Name})
	if held != nil {
		held.GetObjectKind().SetGroupVersionKind(info.Mapping.GroupVersionKind)
	}
	return held, err
}

// mayBeOpen reports whether a stepwise rollout may be open on an object. It looks only at the object itself.
func mayBeOpen(info *resource.Info) bool {
	w, is := info.Object.(workload.Object)
	return is && workload.Is(w) && rollout.MayBeOpen(w)
}
