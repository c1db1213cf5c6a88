package app

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// pin replaces heads by versions in pod templates.
type pin struct {
	// contents holds the content that each head is to have. It is nil for a head that does not exist.
	contents map[configmap.Object]*configmap.Content
	// versions holds the versions with these contents, once they are written or tried.
	versions map[configmap.Object]*configmap.Version
	// older maps other versions of the heads to their head. They are replaced too, so that a template uses only one version of
	// a head.
	older map[configmap.Object]configmap.Object
	// left holds, for each head, revisions that own the version although their templates do not name it.
	left map[configmap.Object][]metav1.OwnerReference
	// claimed is the latest time at which the versions were claimed, by the cluster's clock.
	claimed time.Time
}

// write writes the versions. Their owners are the objects that will reference them. With try, it is only a server dry run.
func (p *pin) write(ctx context.Context, versions *store.Versions, owners []metav1.OwnerReference, try bool) error {
	if p.versions == nil {
		p.versions = map[configmap.Object]*configmap.Version{}
	}
	if p.older == nil {
		p.older = map[configmap.Object]configmap.Object{}
	}
	for head, content := range p.contents {
		if content == nil {
			continue // the head does not exist
		}
		version, err := versions.Ensure(ctx, head, content, slices.Concat(owners, p.left[head]), try)
		if err != nil {
			return err
		}
		p.versions[head] = version
		kept, err := versions.Metadata(ctx, head.Kind, configmap.HeadSelector(head))
		if err != nil {
			return err
		}
		p.older[version.Object] = head
		for i := range kept {
			if kept[i].Head == head {
				p.older[kept[i].Object] = head
			}
		}
	}
	p.claimed = versions.Clock.Now().Add(store.ClockTolerance)
	return nil
}

// objects returns the versions, with the time when they were claimed.
func (p *pin) objects() map[configmap.Object]time.Time {
	all := map[configmap.Object]time.Time{}
	for _, version := range p.versions {
		all[version.Object] = p.claimed
	}
	return all
}

// foreseen returns the heads and versions as they will be after the change.
func (p *pin) foreseen() []rollout.Foreseen {
	var all []rollout.Foreseen
	for head, content := range p.contents {
		if content == nil {
			continue
		}
		object := rollout.Foreseen{Kind: string(head.Kind), Name: head.Name, Keys: content.Keys()}
		all = append(all, object)
		if version := p.versions[head]; version != nil {
			object.Name = version.Object.Name
			all = append(all, object)
		}
	}
	return all
}

// pinned rolls out a workload with versions. It tries everything first, then writes the versions, and then the template.
func (r *roller) pinned(ctx context.Context, p *pin, c change) error {
	if err := r.MaySweep(ctx, store.KindsOf(p.contents)); err != nil {
		return err
	}
	r.WarnOfNoHistory(c.workload)
	owners := []metav1.OwnerReference{ownerOfWorkload(c.workload)}
	p.left = map[configmap.Object][]metav1.OwnerReference{}
	for head := range p.contents {
		left, err := r.RevisionsLeft(ctx, head, []workload.Object{c.workload})
		if err != nil {
			return err
		}
		for i := range left {
			p.left[head] = append(p.left[head], left[i].Owner)
		}
	}
	if err := p.write(ctx, r.Versions, owners, true); err != nil {
		return err
	}
	r.options.Foreseen = p.foreseen()
	if goOn, err := r.rehearse(ctx, c); err != nil || !goOn {
		return err
	}
	if err := p.write(ctx, r.Versions, owners, false); err != nil {
		return err
	}
	err := r.roll(ctx, c)
	var settled configmap.Settled
	if err == nil || exitCode(err) == ExitRolledBack {
		settled.Workloads = map[types.UID]bool{c.workload.GetUID(): true}
	}
	if err != nil && exitCode(err) == ExitRolledBack {
		settled.Versions = p.objects()
	}
	r.Tidy(ctx, store.KindsOf(p.contents), settled)
	return err
}

func ownerOfWorkload(workload workload.Object) metav1.OwnerReference {
	kind := kindOf(workload)
	return store.OwnerOf(workload, kind.GroupVersion().String(), kind.Kind)
}
