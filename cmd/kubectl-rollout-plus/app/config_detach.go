package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

type configDetachFlags struct{ rollFlags }

func newConfigDetachCommand(env *environment) *cobra.Command {
	f := &configDetachFlags{}
	cmd := &cobra.Command{
		Use:   "detach TYPE/NAME CM",
		Short: "Take a ConfigMap or Secret away from a workload, and roll it out",
		Long: "Take all references to a ConfigMap or Secret, and to its versions, out of a\n" +
			"workload's pod template, and roll it out: a Deployment step by step. Image pull\n" +
			"secrets stay. The object itself is not touched.",
		Example: "  # Without the ConfigMap web\n  kubectl rollout-plus config detach deployment/web web\n\n" +
			"  # Without a Secret\n  kubectl rollout-plus config detach deployment/web secret/login",
		Args:              arguments(cobra.ExactArgs(2)),
		ValidArgsFunction: env.completeWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.add(cmd)
	return cmd
}

func (f *configDetachFlags) run(ctx context.Context, env *environment, args []string) error {
	options, err := f.complete()
	if err != nil {
		return err
	}
	head, err := configObject(args[1])
	if err != nil {
		return usageError(err)
	}
	workload, err := env.oneWorkload(args[0])
	if err != nil {
		return err
	}
	s, err := env.configSession(workload.GetNamespace(), f.fieldManager)
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx, f.timeout)
	defer cancel()
	kept, err := s.store.kept(ctx, head.Kind, configmap.HeadSelector(head))
	if err != nil {
		return err
	}
	of := map[configmap.Object]bool{head: true}
	for i := range kept {
		of[kept[i].Object] = kept[i].Head == head
	}
	r := &roller{configSession: s, options: options, cause: f.cause, logLines: f.logLines}
	c := change{workload: workload, rewrite: func(template map[string]any) error {
		if configmap.Detach(template, func(object configmap.Object) bool { return of[object] }) == 0 {
			return usageError(fmt.Errorf("%s in namespace %q does not reference %s", nameOf(workload), workload.GetNamespace(), head))
		}
		return nil
	}}
	if err := r.try(ctx, c); err != nil {
		return err
	}
	err = r.roll(ctx, c)
	s.tidy(ctx, []configmap.Kind{head.Kind}, configmap.Settled{Workloads: map[types.UID]bool{workload.GetUID(): true}})
	return err
}
