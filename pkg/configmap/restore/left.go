package restore

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// leftIn returns the content of heads at the time when the target revision was left. It covers heads whose content the
// target's template does not note, if somebody has kept a version for the revision.
func (r *Restoration) leftIn(ctx context.Context, leaving, holder *configmap.Holder, template *corev1.PodTemplateSpec,
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

// revisionsWith returns the UIDs of the workload's revisions that have this template.
func (r *Restoration) revisionsWith(ctx context.Context, template *corev1.PodTemplateSpec) (map[types.UID]bool, error) {
	with := map[types.UID]bool{}
	err := r.EachRevision(ctx, []workload.Object{r.Of}, func(object runtime.Object) {
		if found := store.RevisionOf(object); found != nil && found.Of == r.Of.GetUID() && found.Has(template) {
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
