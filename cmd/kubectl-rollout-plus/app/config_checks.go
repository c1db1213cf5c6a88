package app

import (
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// checking is the engine for a try, which tells what the checks of a workload come to, and nothing else.
func (r *roller) checking(workload rollout.Workload) *rollout.Engine {
	engine := *r.engine
	engine.Emit = onlyChecks(func(_ time.Time, event rollout.Event) {
		if checks, is := event.(rollout.CheckEvent); is {
			r.tellChecks(workload, checks)
		}
	})
	if events := r.env.eventsOf(objectOf(workload)); events != nil && r.options.DryRun == rollout.DryRunNone {
		engine.Emit = onlyChecks(events.Event)
	} else if events != nil {
		engine.Emit = events.Event
	}
	return &engine
}

// tellChecks tells which checks of a workload did not come out well, each of it once: what cannot begin may be tried again.
func (r *roller) tellChecks(workload rollout.Workload, checks rollout.CheckEvent) {
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
