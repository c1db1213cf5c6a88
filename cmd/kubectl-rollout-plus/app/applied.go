package app

import (
	"fmt"

	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

// warnApplied tells once, before a write, which tool applies a workload's manifest and will do so again.
func (env *environment) warnApplied(workload rollout.Workload) {
	applier := fieldmanager.AppliedBy(workload)
	if applier == nil {
		return
	}
	env.warnOnce(applier.Warning(objectOf(workload).InNamespace()))
}

// warnAppliedInfo does so for what a command line names.
func (env *environment) warnAppliedInfo(info *resource.Info) {
	if workload, is := info.Object.(rollout.Workload); is && rollout.IsWorkload(workload) {
		env.warnApplied(workload)
	}
}

// warnApplied tells once, before a write, which tool applies a ConfigMap or Secret and will do so again.
func (s *configSession) warnApplied(h *head) {
	if h.read == nil {
		return
	}
	if applier := fieldmanager.AppliedBy(&h.meta); applier != nil {
		s.env.warnOnce(applier.DataWarning(fmt.Sprintf("%s in namespace %q", h.object, s.namespace)))
	}
}

func (env *environment) warnOnce(text string) {
	if !env.warned[text] {
		env.warned[text] = true
		env.tell("Warning: %s", text)
	}
}
