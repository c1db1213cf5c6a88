package app

import (
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// checking returns an engine for a try. It reports the results of a workload's checks and drops all other events. Only a
// dry run with JSON output gets all events.
func (r *roller) checking(workload workload.Object) *rollout.Engine {
	engine := *r.Engine
	engine.Emit = restore.OnlyChecks(func(_ time.Time, event rollout.Event) {
		if checks, is := event.(rollout.CheckEvent); is {
			r.tellChecks(workload, checks)
		}
	})
	if events := r.env.eventsOf(objectOf(workload)); events != nil && r.options.DryRun == rollout.DryRunNone {
		engine.Emit = restore.OnlyChecks(events.Event)
	} else if events != nil {
		engine.Emit = events.Event
	}
	return &engine
}

// tellChecks prints the checks of a workload that did not pass. It prints each line once, since a change that cannot begin
// may be tried again.
func (r *roller) tellChecks(workload workload.Object, checks rollout.CheckEvent) {
	for _, line := range printers.CheckLines(r.env.palette(r.env.ErrOut), checks.Results) {
		line = fmt.Sprintf("%s: %s", nameOf(workload), line)
		if !r.env.warned[line] {
			r.env.warned[line] = true
			r.tell("%s", line)
		}
	}
	if r.env.inActions() {
		printers.CheckAnnotations(r.env.ErrOut, resultName(workload), checks.Results)
	}
}
