package app

import (
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// warnApplied prints a warning before a write if a tool applies the workload's manifest, since the tool will apply it
// again. It prints each warning once.
func (env *environment) warnApplied(workload workload.Object) {
	applier := fieldmanager.AppliedBy(workload)
	if applier == nil {
		return
	}
	env.warnOnce(applier.Warning(objectOf(workload).InNamespace()))
}

// warnAppliedInfo does the same for an object that a command line names.
func (env *environment) warnAppliedInfo(info *resource.Info) {
	if w, is := info.Object.(workload.Object); is && workload.Is(w) {
		env.warnApplied(w)
	}
}

func (env *environment) warnOnce(text string) {
	if !env.warned[text] {
		env.warned[text] = true
		env.tell("Warning: %s", text)
	}
}
