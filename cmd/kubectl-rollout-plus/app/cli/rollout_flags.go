package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// RolloutFlags select how a rollout proceeds. start and undo --steps share them.
type RolloutFlags struct {
	steps, surge, unavailable string
	hold                      time.Duration
	onFailure, Cause          string
}

// Add adds the flags to a command.
func (f *RolloutFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.steps, "steps", "", `The number of new pods after each step, as rising counts or percentages; 100% is added. (default "1,25%,50%,100%")`)
	flags.StringVar(&f.surge, "max-surge", "", "The most pods above spec.replicas, as a count or a percentage (default: the Deployment's own).")
	flags.StringVar(&f.unavailable, "max-unavailable", "", "The most ready pods missing from spec.replicas (default: the Deployment's own).")
	flags.DurationVar(&f.hold, "hold", 0, "How long to watch each step's pods once they are ready; a restart or lost readiness fails the step.")
	flags.StringVar(&f.onFailure, "on-failure", string(plan.OnFailureRollback), `What to do when a step fails: "rollback" or "hold".`)
	flags.StringVar(&f.Cause, "change-cause", "", "The reason, kept as the revision's kubernetes.io/change-cause.")
}

// StepsAreOptional changes the help of --steps for a command that works at once without the flag.
func StepsAreOptional(cmd *cobra.Command) {
	cmd.Flags().Lookup("steps").Usage = "Go step by step: the number of new pods after each step, as rising counts or percentages; 100% is added."
}

// NeedsSteps returns an error if --steps is missing but another flag about steps is given.
func NeedsSteps(cmd *cobra.Command) error {
	if cmd.Flags().Changed("steps") {
		return nil
	}
	for _, flag := range []string{"max-surge", "max-unavailable", "hold", "on-failure"} {
		if cmd.Flags().Changed(flag) {
			return UsageError(fmt.Errorf("--%s goes with --steps", flag))
		}
	}
	return nil
}

// Options returns the options that the flags stand for, or an error for the first wrong value.
func (f *RolloutFlags) Options(dryRun rollout.DryRun) (rollout.StartOptions, error) {
	// Only start and config run checks first, and set SkipChecks themselves. Checks must not hinder a way back.
	options := rollout.StartOptions{Hold: f.hold, OnFailure: plan.OnFailure(f.onFailure), DryRun: dryRun, SkipChecks: true}
	var err error
	if options.Steps, err = parseSteps(f.steps); err != nil {
		return options, err
	}
	if options.MaxSurge, options.MaxUnavailable, err = ParseLimits(f.surge, f.unavailable); err != nil {
		return options, err
	}
	switch options.OnFailure {
	case plan.OnFailureRollback, plan.OnFailureHold:
	default:
		return options, FlagError("on-failure", f.onFailure, errors.New("expected rollback or hold"))
	}
	if f.hold < 0 {
		return options, FlagError("hold", f.hold.String(), ErrNegative)
	}
	return options, nil
}

// AddSkipChecks adds --skip-checks.
func AddSkipChecks(cmd *cobra.Command, skip *bool) {
	cmd.Flags().BoolVar(skip, "skip-checks", false, "Begin without the checks; see '"+DisplayName+" check --help'.")
}

// DryRunOf returns the value of --dry-run, and kubectl's suffix for result lines.
func DryRunOf(cmd *cobra.Command) (rollout.DryRun, string, error) {
	strategy, err := cmdutil.GetDryRunStrategy(cmd)
	if err != nil {
		return 0, "", UsageError(err)
	}
	dryRun, suffix := DryRunAs(strategy)
	return dryRun, suffix, nil
}

// DryRunAs returns the engine's name of a dry run, and what result lines end with.
func DryRunAs(strategy cmdutil.DryRunStrategy) (rollout.DryRun, string) {
	switch strategy {
	case cmdutil.DryRunClient:
		return rollout.DryRunClient, " (dry run)"
	case cmdutil.DryRunServer:
		return rollout.DryRunServer, " (server dry run)"
	default:
		return rollout.DryRunNone, ""
	}
}
