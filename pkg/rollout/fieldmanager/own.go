// Package fieldmanager names the writers of a workload: this program, and the tools that apply manifests. It only reads
// objects.
package fieldmanager

import (
	"slices"
)

const (
	// Default is the field manager of this program. It does not begin with kubectl, since Flux takes over the fields of such
	// managers.
	Default = "rollout-plus"
	// earlier is the field manager of earlier versions of this program.
	earlier = "kubectl-rollout-plus"
)

// Own returns the field managers whose entries belong to a command that writes under the given name. For the default name, they
// include the field manager of earlier versions.
func Own(name string) []string {
	switch name {
	case Default:
		return []string{Default, earlier}
	case earlier:
		return []string{earlier, Default}
	}
	return []string{name}
}

// IsOwn reports whether a field manager belongs to a command that writes under the given name.
func IsOwn(manager, name string) bool { return slices.Contains(Own(name), manager) }

// ControllerManager is the field manager of the workload controllers. They never change a pod template.
const ControllerManager = "kube-controller-manager"
