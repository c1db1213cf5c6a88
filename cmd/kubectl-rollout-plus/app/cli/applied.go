package cli

import (
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// WarnApplied prints a warning before a write if a tool applies the workload's manifest, since the tool will apply it
// again. It prints each warning once.
func (env *Env) WarnApplied(workload workload.Object) {
	applier := fieldmanager.AppliedBy(workload)
	if applier == nil {
		return
	}
	env.warnOnce(applier.Warning(ObjectOf(workload).InNamespace()))
}

// WarnAppliedInfo does the same for an object that a command line names.
func (env *Env) WarnAppliedInfo(info *resource.Info) {
	if w, is := info.Object.(workload.Object); is && workload.Is(w) {
		env.WarnApplied(w)
	}
}

func (env *Env) warnOnce(text string) {
	if !env.Warned[text] {
		env.Warned[text] = true
		env.Tell("Warning: %s", text)
	}
}
