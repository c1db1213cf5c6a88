package impact

import (
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// IsNamed reports whether a workload takes configuration from an object by its own name.
func IsNamed(object configmap.Object, workloads []Workload) bool {
	return slices.ContainsFunc(workloads, func(w Workload) bool { return configmap.NamesPlainly(w.Spec, object) })
}

// SomeBlock reports whether new pods of some workload could not start.
func SomeBlock(affected []Affected) bool {
	return slices.ContainsFunc(affected, func(a Affected) bool { return a.Verdict == Block })
}

// SomeRoll reports whether there are workloads to roll out.
func SomeRoll(affected []Affected) bool {
	return slices.ContainsFunc(affected, func(a Affected) bool {
		return a.Verdict == Restart || a.Verdict == Live
	})
}
