package app

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// rehearse tries a change of one workload, and reports whether to make it. A dry run prints the change instead;
// --dry-run=client does not even try it.
func (r *roller) rehearse(ctx context.Context, c change) (goOn bool, err error) {
	if r.options.DryRun != rollout.DryRunClient {
		if err := r.try(ctx, c); err != nil {
			return false, err
		}
	}
	if r.options.DryRun == rollout.DryRunNone {
		return true, nil
	}
	return false, r.showChange(c)
}

// showChange shows what would change in a workload's pod template.
func (r *roller) showChange(c change) error {
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(workload.TemplateOf(c.workload))
	if err != nil {
		return err
	}
	after := runtime.DeepCopyJSON(before)
	if err := c.rewrite(after); err != nil {
		return err
	}
	name := resultName(c.workload)
	texts, err := compareTemplates(name, side{template: before}, side{template: after})
	if err != nil {
		return err
	}
	texts.from.Name, texts.to.Name = name+" (now)", name+" (new)"
	differs, err := printers.Diff(r.env.ErrOut, r.env.palette(r.env.ErrOut), texts.from, texts.to)
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
func (c *changer) tellDry(same bool) {
	c.outcome = rollout.Planned
	if !same {
		c.Report(c.head.Object, event.Planned, c.want)
		c.end(rollout.Planned, "changed")
	}
	if c.flags.noRestart {
		return
	}
	for _, w := range c.out {
		if c.planned != nil {
			c.planned[w.workload.GetUID()] = true
		}
		c.done(change{workload: w.workload}, rollout.Planned, "rolled out"+c.suffix)
	}
}
