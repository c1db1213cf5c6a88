package configuration

import (
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// checking returns an engine for a try. It reports the results of a workload's checks and drops all other events. Only a
// dry run with JSON output gets all events.
func (r *Roller) checking(workload workload.Object) *rollout.Engine {
	engine := *r.Engine
	engine.Emit = restore.OnlyChecks(func(_ time.Time, event rollout.Event) {
		if checks, is := event.(rollout.CheckEvent); is {
			r.tellChecks(workload, checks)
		}
	})
	if events := r.Env.EventsOf(cli.ObjectOf(workload)); events != nil && r.Options.DryRun == rollout.DryRunNone {
		engine.Emit = restore.OnlyChecks(events.Event)
	} else if events != nil {
		engine.Emit = events.Event
	}
	return &engine
}

// tellChecks prints the checks of a workload that did not pass. It prints each line once, since a change that cannot begin
// may be tried again.
func (r *Roller) tellChecks(workload workload.Object, checks rollout.CheckEvent) {
	for _, line := range printers.CheckLines(r.Env.Palette(r.Env.ErrOut), checks.Results) {
		line = fmt.Sprintf("%s: %s", cli.NameOf(workload), line)
		if !r.Env.Warned[line] {
			r.Env.Warned[line] = true
			r.Tell("%s", line)
		}
	}
	if r.Env.InActions() {
		printers.CheckAnnotations(r.Env.ErrOut, cli.ResultName(workload), checks.Results)
	}
}
