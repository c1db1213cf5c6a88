package configuration

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// affectedWorkload is a workload to roll out.
type affectedWorkload struct {
	workload workload.Object
	judgment impact.Judgment
	// keeps holds the heads whose plain names its template keeps.
	keeps attach.PlainNames
	// before is its template before the rollout, and after the template that was written.
	before, after map[string]any
}

// choose picks the workloads to roll out, and the mode of each.
func (c *Changer) choose(ctx context.Context, affected []impact.Affected) error {
	c.out, c.pin = nil, &attach.Pin{}
	for i := range affected {
		a := &affected[i]
		if a.Verdict != impact.Restart && (a.Verdict != impact.Live || c.flags.KeepLive) {
			continue
		}
		workload, err := c.Workload(ctx, a.Kind, a.Name)
		if err != nil {
			return err
		}
		if workload == nil {
			continue // a kind that this program does not roll out
		}
		if c.Planned[workload.GetUID()] {
			c.covered = true
			continue
		}
		if !c.flags.noRestart {
			c.WarnOfNoHistory(workload)
		}
		c.out = append(c.out, &affectedWorkload{
			workload: workload, judgment: a.Judgment, keeps: c.flags.Keeps(workload, c.headsIn(workload), c.Versions.FieldManager),
		})
	}
	return nil
}

// perform writes the version and the object, and rolls out the affected workloads one after another.
func (c *Changer) perform(ctx context.Context, same bool) error {
	if err := c.prepare(ctx, false); err != nil {
		return err
	}
	written := c.Head
	if !same {
		var err error
		if written, err = c.Write(ctx, c.Head, c.Want, false); err != nil {
			return err
		}
		c.end(rollout.Done, "changed")
	}
	if c.flags.noRestart {
		return nil
	}
	c.Workloads = nil
	return c.rollOut(ctx, written)
}

// rollOut rolls out the affected workloads one after another, and then removes versions that are no longer needed.
func (c *Changer) rollOut(ctx context.Context, written *store.Live) error {
	settled := configmap.Settled{Workloads: map[types.UID]bool{}, Versions: map[configmap.Object]time.Time{}}
	var failure error
	for i, w := range c.out {
		change := w.change(c.pin)
		change.note = c.note(i)
		// The object must be restored before old pods come back. Otherwise old in-place pods would start with what has just
		// failed.
		change.returning = func(ctx context.Context) { _ = c.restoreOnce(ctx, written, w) } // rollOut handles the error at the end
		err := c.Roll(ctx, change)
		if err == nil {
			err = c.keepChanged(ctx)
		}
		if err == nil {
			settled.Workloads[w.workload.GetUID()] = true
			continue
		}
		if failure = err; c.Began || written != c.Head { // otherwise nothing has begun, and somebody else's edit stays
			failure = c.failed(ctx, i, err, written)
		}
		if cli.CodeOf(failure) == cli.ExitRolledBack {
			settled.Versions = c.pin.Claims()
			for _, of := range c.out {
				settled.Workloads[of.workload.GetUID()] = true
			}
		}
		break
	}
	if c.before != nil && (failure == nil && len(c.left) == 0 || cli.CodeOf(failure) == cli.ExitRolledBack) {
		settled.Versions[c.before.Object] = c.pin.Claimed // nothing needs that version any more
	}
	c.Tidy(ctx, store.KindsOf(c.pin.Contents), settled)
	return failure
}
