package impact

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// unattributed returns reasons for places where it cannot be known what a container sees. Without them such a place would
// silently count as unchanged.
func (c *Change) unattributed(spec *corev1.PodSpec, seen []Reason) []Reason {
	var reasons []Reason
	order := map[string]int{}
	all := configmap.ContainersOf(spec)
	for _, each := range all {
		order[each.Name] = each.Order
	}
	for _, r := range configmap.References(spec) {
		if r.Source == configmap.FromDriver && r.Container != "" && c.Touches(r.Object) {
			reasons = append(reasons, Reason{
				Effect: Unsupported, Container: r.Container, Source: configmap.FromVolume, Path: r.Path, order: order[r.Container],
				Text: "is mounted by a driver that reads the Secret once, and what it makes of it cannot be told",
			})
		}
	}
	// A container that sees the change may write it into a file from which another container takes a variable.
	if len(seen) == 0 || slices.ContainsFunc(seen, func(r Reason) bool { return r.Effect != Live }) {
		return reasons
	}
	for _, each := range all {
		i := slices.IndexFunc(each.Env, func(v corev1.EnvVar) bool { return v.ValueFrom != nil && v.ValueFrom.FileKeyRef != nil })
		if i >= 0 {
			reasons = append(reasons, Reason{
				Effect: Unsupported, Container: each.Name, Source: configmap.FromEnv, Variable: each.Env[i].Name, order: each.Order,
				Text: "comes from a file that the pod writes itself, and what is in it cannot be told",
			})
		}
	}
	return reasons
}

// whyNone returns why a workload that references the object sees nothing of the change.
func (c *Change) whyNone(spec *corev1.PodSpec, changed []string) string {
	if len(changed) == 0 {
		return "nothing changes"
	}
	only := func(match func(configmap.Reference) bool) bool {
		return !slices.ContainsFunc(configmap.References(spec), func(r configmap.Reference) bool { return c.Touches(r.Object) && !match(r) })
	}
	switch {
	case only(func(r configmap.Reference) bool { return r.Source == configmap.FromPull }):
		return "used only to pull images"
	case only(func(r configmap.Reference) bool {
		return r.Source != configmap.FromEnv && r.Source != configmap.FromEnvFrom && r.Container == ""
	}):
		return "no container mounts it"
	}
	return "no container sees what changes"
}
