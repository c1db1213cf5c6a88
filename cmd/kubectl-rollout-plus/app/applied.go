package app

import (
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

// warnApplied tells once, before a write, which tool applies a workload's manifest and will do so again.
func (env *environment) warnApplied(workload rollout.Workload) {
	applier := fieldmanager.AppliedBy(workload)
	if applier == nil {
		return
	}
	text := applier.Warning(objectOf(workload).InNamespace())
	if !env.warned[text] {
		env.warned[text] = true
		_, _ = fmt.Fprintln(env.ErrOut, "Warning: "+text)
	}
}
