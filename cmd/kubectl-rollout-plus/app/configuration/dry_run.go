package configuration

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/compare"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Rehearse tries a change of one workload, and reports whether to make it. A dry run prints the change instead;
// --dry-run=client does not even try it.
func (r *Roller) Rehearse(ctx context.Context, c Change) (goOn bool, err error) {
	if r.Options.DryRun != rollout.DryRunClient {
		if err := r.try(ctx, c); err != nil {
			return false, err
		}
	}
	if r.Options.DryRun == rollout.DryRunNone {
		return true, nil
	}
	return false, r.showChange(c)
}

// showChange shows what would change in a workload's pod template.
func (r *Roller) showChange(c Change) error {
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(workload.TemplateOf(c.Workload))
	if err != nil {
		return err
	}
	after := runtime.DeepCopyJSON(before)
	if err := c.Rewrite(after); err != nil {
		return err
	}
	name := cli.ResultName(c.Workload)
	texts, err := compare.Templates(name, compare.Side{Template: before}, compare.Side{Template: after})
	if err != nil {
		return err
	}
	texts.From.Name, texts.To.Name = name+" (now)", name+" (new)"
	differs, err := printers.Diff(r.Env.ErrOut, r.Env.Palette(r.Env.ErrOut), texts.From, texts.To)
	if err != nil {
		return err
	}
	if differs {
		r.done(c, rollout.Planned, "rolled out"+r.suffix)
	} else {
		r.done(c, rollout.Unchanged, "unchanged"+r.suffix)
	}
	return nil
}

// tellDry reports what would have been done.
func (c *Changer) tellDry(same bool) {
	c.outcome = rollout.Planned
	if !same {
		c.Report(c.Head.Object, event.Planned, c.Want)
		c.end(rollout.Planned, "changed")
	}
	if c.flags.noRestart {
		return
	}
	for _, w := range c.out {
		if c.Planned != nil {
			c.Planned[w.workload.GetUID()] = true
		}
		c.done(Change{Workload: w.workload}, rollout.Planned, "rolled out"+c.suffix)
	}
}
