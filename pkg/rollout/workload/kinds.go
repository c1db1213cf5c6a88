package workload

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"
)

// New returns an empty object of a kind, or nil if there is no such kind.
func New(kind string) Object {
	for _, object := range []Object{&appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.DaemonSet{}} {
		if KindOf(object) == kind {
			return object
		}
	}
	return nil
}

func ofDeployment(d *appsv1.Deployment) Workload {
	spec, status := &d.Spec, &d.Status
	w := Workload{
		Object: d, Kind: "Deployment", HasReplicaSets: true, ObservedGeneration: status.ObservedGeneration,
		Template: &spec.Template, Selector: spec.Selector, MinReadySeconds: spec.MinReadySeconds, Paused: spec.Paused,
		Counts: PodCounts{
			Desired: ReplicasOf(d), Updated: status.UpdatedReplicas, Ready: status.ReadyReplicas, Available: status.AvailableReplicas,
			Total: status.Replicas, Terminating: status.TerminatingReplicas,
		}.derived(),
		Collisions: ptr.Deref(status.CollisionCount, 0), Phase: phaseOfDeployment(d), Strategy: spec.Strategy, StrategyType: string(spec.Strategy.Type),
	}
	if update := spec.Strategy.RollingUpdate; update != nil {
		w.MaxSurge, w.MaxUnavailable = update.MaxSurge, update.MaxUnavailable
	}
	w.IsReplacing = !spec.Paused && (w.Phase == Unobserved || w.Counts.Updated < w.Counts.Total)
	return w
}

func ofStatefulSet(s *appsv1.StatefulSet) Workload {
	spec, status := &s.Spec, &s.Status
	w := Workload{
		Object: s, Kind: "StatefulSet", HasOrdinals: true, ObservedGeneration: status.ObservedGeneration,
		Template: &spec.Template, Selector: spec.Selector, MinReadySeconds: spec.MinReadySeconds,
		Counts: PodCounts{
			Desired: ptr.Deref(spec.Replicas, 1), Updated: status.UpdatedReplicas, Ready: status.ReadyReplicas,
			Available: status.AvailableReplicas, Total: status.Replicas,
		}.derived(),
		Collisions: ptr.Deref(status.CollisionCount, 0), Phase: phaseOfStatefulSet(s), Strategy: spec.UpdateStrategy,
		StrategyType: string(spec.UpdateStrategy.Type), Partition: PartitionOf(s),
		CurrentRevision: status.CurrentRevision, UpdateRevision: status.UpdateRevision,
	}
	if update := spec.UpdateStrategy.RollingUpdate; update != nil {
		w.MaxUnavailable = update.MaxUnavailable
	}
	w.IsReplacing = w.Phase == Unobserved || w.Phase == Progressing && (w.CurrentRevision != w.UpdateRevision || w.Counts.Updated < w.Counts.Total)
	return w
}

func ofDaemonSet(d *appsv1.DaemonSet) Workload {
	spec, status := &d.Spec, &d.Status
	w := Workload{
		Object: d, Kind: "DaemonSet", IsPerNode: true, ObservedGeneration: status.ObservedGeneration,
		Template: &spec.Template, Selector: spec.Selector, MinReadySeconds: spec.MinReadySeconds,
		Counts: PodCounts{
			Desired: status.DesiredNumberScheduled, Updated: status.UpdatedNumberScheduled, Ready: status.NumberReady,
			Available: status.NumberAvailable, Total: status.CurrentNumberScheduled,
		}.derived(),
		Collisions: ptr.Deref(status.CollisionCount, 0), Phase: phaseOfDaemonSet(d), Strategy: spec.UpdateStrategy,
		StrategyType: string(spec.UpdateStrategy.Type), templateGeneration: d.Annotations[appsv1.DeprecatedTemplateGeneration],
	}
	if update := spec.UpdateStrategy.RollingUpdate; update != nil {
		w.MaxSurge, w.MaxUnavailable = update.MaxSurge, update.MaxUnavailable
	}
	w.IsReplacing = w.Phase == Unobserved || w.Phase == Progressing && w.Counts.Updated < w.Counts.Desired
	return w
}

// ConditionsOf returns the conditions of a workload.
func ConditionsOf(workload Object) []Condition {
	return Match(workload, func(d *appsv1.Deployment) []Condition {
		return conditions(d.Status.Conditions, func(c *appsv1.DeploymentCondition) Condition {
			return Condition{string(c.Type), string(c.Status), c.Reason, c.Message}
		})
	}, func(s *appsv1.StatefulSet) []Condition {
		return conditions(s.Status.Conditions, func(c *appsv1.StatefulSetCondition) Condition {
			return Condition{string(c.Type), string(c.Status), c.Reason, c.Message}
		})
	}, func(d *appsv1.DaemonSet) []Condition {
		return conditions(d.Status.Conditions, func(c *appsv1.DaemonSetCondition) Condition {
			return Condition{string(c.Type), string(c.Status), c.Reason, c.Message}
		})
	})
}

func conditions[T any](all []T, read func(*T) Condition) []Condition {
	found := make([]Condition, len(all))
	for i := range all {
		found[i] = read(&all[i])
	}
	return found
}

// derived returns the counts with those that follow from the others.
func (c PodCounts) derived() PodCounts {
	c.Old, c.Unavailable = max(c.Total-c.Updated, 0), max(c.Desired-c.Available, 0)
	return c
}
