package rollout

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight/survey"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// CheckError reports that checks failed, so that no rollout was begun.
type CheckError struct{ Failed []preflight.Result }

func (e *CheckError) Error() string {
	texts := make([]string, len(e.Failed))
	for i, r := range e.Failed {
		texts[i] = r.ID + ": " + r.Message
	}
	return "a check stands against it: " + strings.Join(texts, "; ")
}

// CheckOptions are the settings of a check. Limits that are not given are the workload's own.
type CheckOptions struct {
	MaxSurge, MaxUnavailable *intstr.IntOrString
	// Live is the workload as it is now, or nil if the checked workload itself is the live one.
	Live workload.Object
	// Lean leaves out what takes long in a large cluster. It is for a rollout that waits for the check.
	Lean bool
	// Foreseen are objects that the check takes for present, with the keys given here.
	Foreseen []preflight.Foreseen
}

// Check looks for problems that a rollout to the given workload would meet. It writes nothing.
func (e *Engine) Check(ctx context.Context, workload workload.Object, options CheckOptions) ([]preflight.Result, error) {
	limits, err := limitsOfWorkload(workload, options.MaxSurge, options.MaxUnavailable)
	if err != nil {
		return nil, err
	}
	in := &preflight.Input{Workload: describe(workload), Surge: limits.Surge, Unavailable: limits.Unavailable}
	if !options.Lean { // a lean check precedes a rollout, which finds out by itself
		in.Workload.Open, in.Workload.Failed = presentRollout(workload)
	}
	if options.Live != nil {
		in.Live = new(describe(options.Live))
	}
	survey.Fill(ctx, e.Client, in, workload, survey.Options{Lean: options.Lean, Foreseen: options.Foreseen})
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return preflight.Check(in), nil
}

// CheckChange looks for problems that a rollout of this change would meet. It writes nothing: the API server says in a dry run
// what a manifest makes of the workload.
func (e *Engine) CheckChange(ctx context.Context, kind string, key types.NamespacedName, change Change, options CheckOptions) ([]preflight.Result, error) {
	s, err := e.open(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	defer s.source.Close()
	live, snapshot, err := s.settle(ctx)
	if err != nil {
		return nil, err
	}
	wanted, err := s.want(ctx, live, &snapshot, change)
	if err != nil {
		return nil, err
	}
	options.Live = live.typed
	results, err := e.Check(ctx, wanted.typed, options)
	if err == nil && wanted.manifest != nil && wanted.manifest.note != "" {
		results = append(results, preflight.Result{ID: preflight.Manifest, Status: preflight.Warn, Message: wanted.manifest.note})
	}
	return results, err
}

// presentRollout describes the open stepwise rollout, or else gives the reason why the present rollout has failed. Both are ""
// if neither is so.
func presentRollout(w workload.Object) (open, failed string) {
	if _, record, err := OpenIn(w); err != nil || record != nil {
		if err != nil {
			return "a stepwise rollout is open that cannot be read", ""
		}
		return fmt.Sprintf("a stepwise rollout is open, at step %d of %d", record.Step, len(record.Plan.Steps)), ""
	}
	for _, condition := range workload.ConditionsOf(w) {
		if condition.Type == string(appsv1.DeploymentProgressing) && condition.Status == "False" {
			return "", condition.Reason
		}
	}
	return "", ""
}

// CheckStart makes the checks of a rollout from the live workload to the wanted one, before anything is written. It returns a
// CheckError if one fails. It checks nothing with SkipChecks, in a client dry run, or if no pods are wanted.
func (e *Engine) CheckStart(ctx context.Context, wanted, live workload.Object, options StartOptions) error {
	if options.SkipChecks || options.DryRun == DryRunClient || workload.PodCountsOf(wanted).Desired == 0 {
		return nil
	}
	results, err := e.Check(ctx, wanted, CheckOptions{
		MaxSurge: options.MaxSurge, MaxUnavailable: options.MaxUnavailable, Live: live, Lean: true, Foreseen: options.Foreseen,
	})
	if err != nil {
		return err
	}
	if e.Emit != nil {
		e.Emit(e.Clock.Now(), CheckEvent{Results: results})
	}
	if failed := preflight.Failed(results); len(failed) > 0 {
		return &CheckError{failed}
	}
	return nil
}

// describe returns what the checks look at in a workload.
func describe(object workload.Object) preflight.Workload {
	w := preflight.Workload{
		Kind: workload.KindOf(object), Namespace: object.GetNamespace(), Name: object.GetName(), Replicas: workload.PodCountsOf(object).Desired,
		Selector: workload.SelectorOf(object), Template: workload.TemplateOf(object),
	}
	switch o := object.(type) {
	case *appsv1.Deployment:
		settings := settingsBehind(o)
		w.Strategy = string(settings.Strategy.Type)
		w.MinReadySeconds, w.Deadline = settings.MinReadySeconds, settings.ProgressDeadlineSeconds
	case *appsv1.StatefulSet:
		w.Strategy, w.MinReadySeconds, w.ServiceName = string(o.Spec.UpdateStrategy.Type), o.Spec.MinReadySeconds, o.Spec.ServiceName
		w.Partition = workload.PartitionOf(o)
	case *appsv1.DaemonSet:
		w.Strategy, w.MinReadySeconds = string(o.Spec.UpdateStrategy.Type), o.Spec.MinReadySeconds
	}
	return w
}

// settingsBehind returns a Deployment's own settings, also while a rollout has borrowed them.
func settingsBehind(d *appsv1.Deployment) Settings {
	if _, record, err := OpenRollout(d, nil); err == nil && record != nil {
		return record.Wanted()
	}
	return SettingsOf(d)
}

// limitsOfWorkload returns the limits of a rollout as numbers of pods.
func limitsOfWorkload(object workload.Object, surge, unavailable *intstr.IntOrString) (plan.Resolved, error) {
	switch w := object.(type) {
	case *appsv1.Deployment:
		strategy := settingsBehind(w).Strategy
		if strategy.Type == appsv1.RecreateDeploymentStrategyType {
			return plan.Resolved{Unavailable: workload.ReplicasOf(w)}, nil
		}
		limits, err := plan.Overridden(strategy, surge, unavailable)
		if err != nil {
			return plan.Resolved{}, err
		}
		resolved, err := limits.At(workload.ReplicasOf(w))
		if err != nil {
			return resolved, &plan.OptionError{Option: "max-surge, --max-unavailable", Err: err}
		}
		return resolved, nil
	case *appsv1.StatefulSet:
		return plan.LimitsOfStatefulSet(w, surge, unavailable)
	case *appsv1.DaemonSet:
		return plan.LimitsOfDaemonSet(w, surge, unavailable)
	}
	return plan.Resolved{}, fmt.Errorf("no rollout is known of %T", object)
}
