package configuration

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Pinned rolls out a workload with versions. It tries everything first, then writes the versions, and then the template.
func (r *Roller) Pinned(ctx context.Context, p *attach.Pin, c Change) error {
	if err := r.MaySweep(ctx, store.KindsOf(p.Contents)); err != nil {
		return err
	}
	r.WarnOfNoHistory(c.Workload)
	owners := []metav1.OwnerReference{ownerOfWorkload(c.Workload)}
	p.Left = map[configmap.Object][]metav1.OwnerReference{}
	for head := range p.Contents {
		left, err := r.RevisionsLeft(ctx, head, []workload.Object{c.Workload})
		if err != nil {
			return err
		}
		for i := range left {
			p.Left[head] = append(p.Left[head], left[i].Owner)
		}
	}
	if err := r.Versions.WritePin(ctx, p, owners, true); err != nil {
		return err
	}
	r.Options.Foreseen = store.Foreseen(p)
	if goOn, err := r.Rehearse(ctx, c); err != nil || !goOn {
		return err
	}
	if err := r.Versions.WritePin(ctx, p, owners, false); err != nil {
		return err
	}
	err := r.Roll(ctx, c)
	var settled configmap.Settled
	if err == nil || cli.CodeOf(err) == cli.ExitRolledBack {
		settled.Workloads = map[types.UID]bool{c.Workload.GetUID(): true}
	}
	if err != nil && cli.CodeOf(err) == cli.ExitRolledBack {
		settled.Versions = p.Claims()
	}
	r.Tidy(ctx, store.KindsOf(p.Contents), settled)
	return err
}

func ownerOfWorkload(workload workload.Object) metav1.OwnerReference {
	kind := cli.KindOf(workload)
	return store.OwnerOf(workload, kind.GroupVersion().String(), kind.Kind)
}
