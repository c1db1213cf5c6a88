package config

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

type configDetachFlags struct {
	configuration.RollFlags
	kind configuration.KindFlag
}

func newConfigDetachCommand(env *cli.Env) *cobra.Command {
	f := &configDetachFlags{}
	cmd := &cobra.Command{
		Use:   "detach TYPE/NAME CM",
		Short: "Remove a ConfigMap or Secret from a workload, and roll it out",
		Long: "Remove all references to a ConfigMap or Secret, and to its versions, from a\n" +
			"workload's pod template, and roll it out step by step. Image pull secrets stay.\n" +
			"The object itself does not change.",
		Example: "  # Without the ConfigMap web\n  kubectl rollout-plus config detach deployment/web web\n\n" +
			"  # Without a Secret\n  kubectl rollout-plus config detach deployment/web secret/login",
		Args:              cli.Arguments(cobra.ExactArgs(2)),
		ValidArgsFunction: env.CompleteWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.Add(cmd)
	f.Add(cmd)
	return cmd
}

func (f *configDetachFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	head, err := f.kind.Object(args[1])
	if err != nil {
		return cli.UsageError(err)
	}
	r, workload, err := f.Roller(env, args[0])
	if err != nil {
		return err
	}
	ctx, cancel := env.WithTimeout(ctx, f.Timeout)
	defer cancel()
	return r.Concluded(workload, f.detach(ctx, r, workload, head))
}

func (f *configDetachFlags) detach(ctx context.Context, r *configuration.Roller, workload workload.Object, head configmap.Object) error {
	kept, err := r.Versions.Metadata(ctx, head.Kind, configmap.HeadLabel)
	if err != nil {
		return r.Reader.Explain(ctx, "list", head.Kind.Resource(), err)
	}
	if len(kept) > 0 { // without versions, there is nothing to sweep at the end
		if err := r.MaySweep(ctx, []configmap.Kind{head.Kind}); err != nil {
			return err
		}
	}
	of := map[configmap.Object]bool{head: true}
	described, _ := impact.WorkloadOf(workload)
	named, err := r.Reader.Versions(ctx, head, []impact.Workload{described}) // includes versions that no longer exist
	if err != nil {
		return err
	}
	for object := range named {
		of[object] = true
	}
	var unset []string
	c := configuration.Change{Workload: workload, Rewrite: func(template map[string]any) error {
		before, pathsBefore := attach.Unset(template)
		if attach.Remove(template, func(object configmap.Object) bool { return of[object] }) == 0 {
			return cli.UsageError(fmt.Errorf("%s in namespace %q does not reference %s", cli.NameOf(workload), workload.GetNamespace(), head))
		}
		attach.Forget(template, head)
		written, paths := attach.Unset(template)
		unset = without(written, before)
		if lost := without(paths, pathsBefore); len(lost) > 0 {
			return cli.UsageError(fmt.Errorf("nothing was written, since new pods of %s could not start: nothing would set %s, "+
				"of which its subPathExpr is made; "+
				"change that first", cli.NameOf(workload), strings.Join(lost, ", ")))
		}
		return nil
	}}
	goOn, err := r.Rehearse(ctx, c)
	if err != nil {
		return err
	}
	if len(unset) > 0 {
		r.Tell("warning: nothing sets %s any more, so that it is passed on as it is written", strings.Join(unset, ", "))
	}
	if !goOn {
		return nil
	}
	err = r.Roll(ctx, c)
	r.Tidy(ctx, []configmap.Kind{head.Kind}, configmap.Settled{Workloads: map[types.UID]bool{workload.GetUID(): true}})
	return err
}

// without returns the texts that are not in others. It reuses the memory of texts.
func without(texts, others []string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return slices.Contains(others, text) })
}
