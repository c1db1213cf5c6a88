package app

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// keepBefore writes a version of what the object held. A stepwise rollout remembers it: going back from that gives the
// object what it held, whoever does it. The revisions that are left own it where their templates do not tell what it held:
// so undo finds it, whatever becomes of this command. Where nothing is rolled out, it is for those revisions alone.
func (c *changer) keepBefore(ctx context.Context, owners []metav1.OwnerReference, try bool) (err error) {
	if c.head.read == nil || c.head.content.Equal(c.want) || len(c.out) == 0 {
		return nil
	}
	if try {
		if c.left, err = c.leaving(ctx, c.head.object, c.runWithIt()); err != nil {
			return err
		}
	}
	if c.flags.noRestart && len(c.left) == 0 {
		return nil
	}
	for i := range c.left {
		owners = append(owners, c.left[i].Owner)
	}
	c.before, err = c.store.ensure(ctx, c.head.object, c.head.content, owners, try)
	c.pin.claimed = c.store.clock.Now().Add(tolerated)
	if err != nil || try {
		return err
	}
	return c.leaveNothingElse(ctx)
}

// runWithIt are the workloads whose revisions are to be known with what the object holds now. Those that stay run on with
// what it held when their pods were started: where it has been edited since, that is another content.
func (c *changer) runWithIt() []rollout.Workload {
	edited, age := map[types.UID]bool{}, configmap.AgeOf(&c.head.meta)
	for i := range c.workloads {
		w := &c.workloads[i]
		edited[w.UID] = c.flags.noRestart && age.Older(w)
	}
	var all []rollout.Workload
	for _, w := range c.out {
		if !edited[w.workload.GetUID()] {
			all = append(all, w.workload)
		}
	}
	return all
}

// leaving are the newest revisions of workloads, as far as their templates have a head's plain name and do not note what it
// held.
func (s *configSession) leaving(ctx context.Context, head configmap.Object, of []rollout.Workload) ([]configmap.Holder, error) {
	var workloads []rollout.Workload
	for _, w := range of {
		holder := configmap.NewHolder(metav1.OwnerReference{}, true, rollout.TemplateOf(w))
		if holder.Unrecorded(head) {
			workloads = append(workloads, w)
		}
	}
	newest := newestRevisions{}
	if err := s.eachRevision(ctx, workloads, newest.see); err != nil {
		return nil, err
	}
	var left []configmap.Holder
	for _, w := range workloads {
		// That of a template which its controller has not seen yet is not there, and the one before is not left now.
		if found := newest[w.GetUID()]; found != nil && found.has(rollout.TemplateOf(w)) {
			left = append(left, configmap.NewHolder(found.owner(), false, rollout.TemplateOf(w)))
		}
	}
	return left, nil
}

// leaveNothingElse takes other versions from the revisions that are left: those are of what the object held when they were
// left before.
func (c *changer) leaveNothingElse(ctx context.Context) error {
	if len(c.left) == 0 {
		return nil
	}
	kept, err := c.store.kept(ctx, c.head.object.Kind, configmap.HeadSelector(c.head.object))
	if err != nil {
		return c.reader.explain(ctx, "list", c.head.object.Kind.Resource(), err)
	}
	for i := range kept {
		k := &kept[i]
		if k.Head != c.head.object || k.Object == c.before.Object {
			continue
		}
		owners := slices.DeleteFunc(slices.Clone(k.Meta.OwnerReferences), func(o metav1.OwnerReference) bool {
			return slices.ContainsFunc(c.left, func(h configmap.Holder) bool { return h.Owner.UID == o.UID && !h.Needs(k.Object) })
		})
		if len(owners) == len(k.Meta.OwnerReferences) {
			continue
		}
		if len(owners) == 0 { // one that nothing owns would stay for ever; a workload's own goes with the next sweep
			owners = append(owners, ownerOfWorkload(c.out[0].workload))
		}
		if err := c.store.own(ctx, k, owners); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return fmt.Errorf("cannot keep %s in namespace %q in order: %w", k.Object, c.namespace, err)
		}
	}
	return nil
}

// leftIn is what heads held when the revision was left that a workload goes back to, as far as its template does not tell
// and somebody has kept that.
func (r *restoration) leftIn(ctx context.Context, leaving, holder *configmap.Holder, template *corev1.PodTemplateSpec,
) (map[configmap.Object]configmap.Kept, error) {
	var asked []configmap.Kept
	for _, kept := range r.kept {
		if holder.Unrecorded(kept.Head) && !leaving.Unrecorded(kept.Head) && !r.noted(kept.Head) && ownedByRevision(&kept) {
			asked = append(asked, kept)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	targets, err := r.revisionsWith(ctx, template)
	if err != nil {
		return nil, err
	}
	left := map[configmap.Object]configmap.Kept{}
	for i := range asked {
		if last := configmap.KeptFor(targets, asked[i].Head, asked); last != nil {
			left[last.Head] = *last
		}
	}
	return left, nil
}

// revisionsWith are the revisions of the workload that have this template.
func (r *restoration) revisionsWith(ctx context.Context, template *corev1.PodTemplateSpec) (map[types.UID]bool, error) {
	with := map[types.UID]bool{}
	err := r.eachRevision(ctx, []rollout.Workload{r.of}, func(object runtime.Object) {
		if found := revisionOf(object); found != nil && found.of == r.of.GetUID() && found.has(template) {
			with[found.GetUID()] = true
		}
	})
	return with, err
}

func ownedByRevision(kept *configmap.Kept) bool {
	return slices.ContainsFunc(kept.Meta.OwnerReferences, func(o metav1.OwnerReference) bool {
		return o.Kind == "ReplicaSet" || o.Kind == "ControllerRevision"
	})
}
