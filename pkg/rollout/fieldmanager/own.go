// Package fieldmanager names who writes a workload: this program, and the tools that apply manifests. It reads objects only.
package fieldmanager

import "slices"

const (
	// Default is the field manager of this program. Flux takes over the fields of managers whose names begin with kubectl.
	Default = "rollout-plus"
	// earlier is the field manager of earlier versions of this program.
	earlier = "kubectl-rollout-plus"
)

// Own returns the field managers whose entries belong to a command that writes under a name. Where that is the default name,
// the entries of earlier versions belong to it, too.
func Own(name string) []string {
	switch name {
	case Default:
		return []string{Default, earlier}
	case earlier:
		return []string{earlier, Default}
	}
	return []string{name}
}

// IsOwn reports whether a field manager belongs to a command that writes under a name.
func IsOwn(manager, name string) bool { return slices.Contains(Own(name), manager) }
