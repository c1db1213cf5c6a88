package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

const checkExample = `  # Look for trouble before the next rollout of a Deployment
  kubectl rollout-plus check deployment/web

  # With the limits that the rollout is going to have, for a script
  kubectl rollout-plus check deployment/web --max-surge 2 --max-unavailable 0 -o json`

type checkFlags struct {
	surge, unavailable string
	output             string
}

func newCheckCommand(env *environment) *cobra.Command {
	f := &checkFlags{}
	cmd := &cobra.Command{
		Use:   "check deployment/NAME",
		Short: "Look for trouble before a rollout",
		Long: "Look for trouble that a rollout of a Deployment would meet: rights, quotas and\n" +
			"limits, nodes, budgets, autoscalers, probes, Services, objects that pods need,\n" +
			"names of images. Nothing is written. Each check is OK, WARN, FAIL or SKIP, which\n" +
			"is a check that cannot be made, with why.\n\n" +
			"start makes the same checks by itself. Exits with 4 where one is FAIL.",
		Example:           checkExample,
		Args:              arguments(oneDeployment),
		ValidArgsFunction: env.completeDeployment(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	cmd.Flags().StringVar(&f.surge, "max-surge", "", "Most pods above spec.replicas, as a count or a percentage (default: the Deployment's own).")
	cmd.Flags().StringVar(&f.unavailable, "max-unavailable", "", "Most ready pods missing from spec.replicas (default: the Deployment's own).")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "json" writes one document.`)
	return cmd
}

func (f *checkFlags) run(ctx context.Context, env *environment, args []string) error {
	if f.output != "" && f.output != "json" {
		return flagError("output", f.output, errors.New("expected json, or nothing for lines"))
	}
	if err := env.checkColor(); err != nil {
		return err
	}
	var options rollout.StartOptions
	var err error
	if options.MaxSurge, options.MaxUnavailable, err = parseLimits(f.surge, f.unavailable); err != nil {
		return err
	}
	key, err := env.key(args)
	if err != nil {
		return err
	}
	engine, err := env.engine(defaultFieldManager, nil)
	if err != nil {
		return err
	}
	d, err := engine.Client.AppsV1().Deployments(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	results, err := engine.Check(ctx, d, options)
	if err != nil {
		return err
	}
	if f.output == "json" {
		printers.ChecksJSON(env.Out, printers.Deployment(key.Namespace, key.Name), results)
	} else {
		printers.ChecksText(env.Out, env.palette(env.Out), results)
	}
	if failed := preflight.Failed(results); len(failed) > 0 {
		return &exitError{code: ExitStanding, err: fmt.Errorf("deployment %q: %w", key.Name, &rollout.CheckError{Failed: failed})}
	}
	return nil
}
