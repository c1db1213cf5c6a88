package app

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// rehearse tries a change of one workload, and tells whether it is to be made. In a dry run it is shown in place of that,
// and with --dry-run=client not even tried.
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
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(rollout.TemplateOf(c.workload))
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
	done := "rolled out"
	if !differs {
		done = "unchanged"
	}
	_, _ = fmt.Fprintf(r.env.Out, "%s %s%s\n", name, done, r.suffix)
	return nil
}

// tellDry tells what would have been done.
func (c *changer) tellDry(same bool) {
	if !same {
		_, _ = fmt.Fprintf(c.env.Out, "%s changed%s\n", c.head.object, c.suffix)
	}
	if c.flags.noRestart {
		return
	}
	for _, w := range c.out {
		_, _ = fmt.Fprintf(c.env.Out, "%s rolled out%s\n", resultName(w.workload), c.suffix)
	}
}
