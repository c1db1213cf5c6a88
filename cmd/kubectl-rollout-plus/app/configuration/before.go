package configuration

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// keepBefore writes a version with the object's old content. A stepwise rollout remembers that version, so whoever rolls
// back also gives the object its old content.
//
// If the templates of the old revisions do not note that content, these revisions own the version. Then undo finds it even
// if this command dies. If nothing is rolled out, the version is for those revisions alone.
func (c *Changer) keepBefore(ctx context.Context, owners []metav1.OwnerReference, try bool) (err error) {
	if c.Head.State == nil || c.Head.Content.Equal(c.Want) || len(c.out) == 0 {
		return nil
	}
	if try {
		if c.left, err = c.RevisionsLeft(ctx, c.Head.Object, c.runWithIt()); err != nil {
			return err
		}
	}
	if c.flags.noRestart && len(c.left) == 0 {
		return nil
	}
	for i := range c.left {
		owners = append(owners, c.left[i].Owner)
	}
	c.before, err = c.Versions.Ensure(ctx, c.Head.Object, c.Head.Content, owners, try)
	c.pin.Claimed = c.Versions.Clock.Now().Add(store.ClockTolerance)
	if err != nil || try {
		return err
	}
	return c.leaveNothingElse(ctx)
}

// runWithIt returns the workloads whose pods run with the object's present content. With --no-restart it leaves out
// workloads whose pods started before the object's last edit: they run with an older content.
func (c *Changer) runWithIt() []workload.Object {
	edited, age := map[types.UID]bool{}, impact.AgeOf(&c.Head.Meta)
	for i := range c.Workloads {
		w := &c.Workloads[i]
		edited[w.UID] = c.flags.noRestart && age.Older(w)
	}
	var all []workload.Object
	for _, w := range c.out {
		if !edited[w.workload.GetUID()] {
			all = append(all, w.workload)
		}
	}
	return all
}

// leaveNothingElse removes the revisions that are left now from the owners of the head's other versions. Those versions
// hold what the object held when the revisions were left at an earlier time.
func (c *Changer) leaveNothingElse(ctx context.Context) error {
	if len(c.left) == 0 {
		return nil
	}
	kept, err := c.Versions.Metadata(ctx, c.Head.Object.Kind, configmap.HeadSelector(c.Head.Object))
	if err != nil {
		return c.Reader.Explain(ctx, "list", c.Head.Object.Kind.Resource(), err)
	}
	for i := range kept {
		k := &kept[i]
		if k.Head != c.Head.Object || k.Object == c.before.Object {
			continue
		}
		owners := slices.DeleteFunc(slices.Clone(k.Meta.OwnerReferences), func(o metav1.OwnerReference) bool {
			return slices.ContainsFunc(c.left, func(h configmap.Holder) bool { return h.Owner.UID == o.UID && !h.Needs(k.Object) })
		})
		if len(owners) == len(k.Meta.OwnerReferences) {
			continue
		}
		if len(owners) == 0 { // a version without an owner would stay for ever; the next sweep deletes one that only a workload owns
			owners = append(owners, ownerOfWorkload(c.out[0].workload))
		}
		if err := c.Versions.Own(ctx, k, owners); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return fmt.Errorf("cannot keep %s in namespace %q in order: %w", k.Object, c.Namespace, err)
		}
	}
	return nil
}
