package app

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// pin puts versions in the place of their heads.
type pin struct {
	// contents are what the heads are to hold, nil for one that is not there.
	contents map[configmap.Object]*configmap.Content
	// versions are those of the contents, once they are written or tried.
	versions map[configmap.Object]*configmap.Version
	// older are other versions of the heads, which are replaced too: a template is to see one version alone.
	older map[configmap.Object]configmap.Object
	// left are revisions for which versions of heads are kept that their templates do not name.
	left map[configmap.Object][]metav1.OwnerReference
	// claimed is by when the versions were, as the cluster may put it.
	claimed time.Time
}

// write writes the versions, with those as owners that are about to reference them. With try, the API server only tells
// whether it would take them.
func (p *pin) write(ctx context.Context, store *versionStore, owners []metav1.OwnerReference, try bool) error {
	if p.versions == nil {
		p.versions = map[configmap.Object]*configmap.Version{}
	}
	if p.older == nil {
		p.older = map[configmap.Object]configmap.Object{}
	}
	for head, content := range p.contents {
		if content == nil {
			continue // one that is not there
		}
		version, err := store.ensure(ctx, head, content, slices.Concat(owners, p.left[head]), try)
		if err != nil {
			return err
		}
		p.versions[head] = version
		kept, err := store.kept(ctx, head.Kind, configmap.HeadSelector(head))
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
	p.claimed = store.clock.Now().Add(tolerated)
	return nil
}

// objects are the versions themselves, with the time when they were claimed.
func (p *pin) objects() map[configmap.Object]time.Time {
	all := map[configmap.Object]time.Time{}
	for _, version := range p.versions {
		all[version.Object] = p.claimed
	}
	return all
}

// foreseen are the heads and versions as they are going to be.
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

// pinned rolls a workload out with versions: all is tried first, then the versions are written, then the template.
func (r *roller) pinned(ctx context.Context, p *pin, c change) error {
	if err := r.maySweep(ctx, kindsOf(p.contents)); err != nil {
		return err
	}
	r.env.warnOfNoHistory(c.workload)
	owners := []metav1.OwnerReference{ownerOfWorkload(c.workload)}
	p.left = map[configmap.Object][]metav1.OwnerReference{}
	for head := range p.contents {
		left, err := r.leaving(ctx, head, []rollout.Workload{c.workload})
		if err != nil {
			return err
		}
		for i := range left {
			p.left[head] = append(p.left[head], left[i].Owner)
		}
	}
	if err := p.write(ctx, r.store, owners, true); err != nil {
		return err
	}
	r.options.Foreseen = p.foreseen()
	if goOn, err := r.rehearse(ctx, c); err != nil || !goOn {
		return err
	}
	if err := p.write(ctx, r.store, owners, false); err != nil {
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
	r.tidy(ctx, kindsOf(p.contents), settled)
	return err
}

func ownerOfWorkload(workload rollout.Workload) metav1.OwnerReference {
	kind := kindOf(workload)
	return ownerOf(workload, kind.GroupVersion().String(), kind.Kind)
}
