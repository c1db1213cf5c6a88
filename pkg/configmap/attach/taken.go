package attach

import (
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// isTaken reports whether a container already takes all of the object with this prefix, possibly from a version.
func (w *Wire) isTaken(container map[string]any, reference string) bool {
	return slices.ContainsFunc(entries(container, "envFrom"), func(from map[string]any) bool {
		prefix, _ := from["prefix"].(string)
		return prefix == w.Prefix && slices.ContainsFunc(entries(from, reference), func(to map[string]any) bool {
			name, _ := to["name"].(string)
			head, _, version := configmap.SplitName(name)
			return name == w.Head.Name || version && head == w.Head.Name
		})
	})
}
