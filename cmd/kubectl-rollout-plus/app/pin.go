package app

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// pinned rolls out a workload with versions. It tries everything first, then writes the versions, and then the template.
func (r *roller) pinned(ctx context.Context, p *attach.Pin, c change) error {
	if err := r.MaySweep(ctx, store.KindsOf(p.Contents)); err != nil {
		return err
	}
	r.WarnOfNoHistory(c.workload)
	owners := []metav1.OwnerReference{ownerOfWorkload(c.workload)}
	p.Left = map[configmap.Object][]metav1.OwnerReference{}
	for head := range p.Contents {
		left, err := r.RevisionsLeft(ctx, head, []workload.Object{c.workload})
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
	r.options.Foreseen = store.Foreseen(p)
	if goOn, err := r.rehearse(ctx, c); err != nil || !goOn {
		return err
	}
	if err := r.Versions.WritePin(ctx, p, owners, false); err != nil {
		return err
	}
	err := r.roll(ctx, c)
	var settled configmap.Settled
	if err == nil || exitCode(err) == ExitRolledBack {
		settled.Workloads = map[types.UID]bool{c.workload.GetUID(): true}
	}
	if err != nil && exitCode(err) == ExitRolledBack {
		settled.Versions = p.Claims()
	}
	r.Tidy(ctx, store.KindsOf(p.Contents), settled)
	return err
}

func ownerOfWorkload(workload workload.Object) metav1.OwnerReference {
	kind := kindOf(workload)
	return store.OwnerOf(workload, kind.GroupVersion().String(), kind.Kind)
}
