package config

import (
	"context"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// mayWrite returns an error if edits could not be rolled out because a right is missing. Other commands find that out by
// trying their writes, but a watch may have nothing to write yet.
func (w *configWatcher) mayWrite(ctx context.Context, workloads []impact.Workload) error {
	var needed []preflight.Right
	kinds := map[configmap.Object]bool{}
	for i := range workloads {
		for _, r := range configmap.References(workloads[i].Spec) {
			if !w.rolls(&workloads[i], &r) {
				continue
			}
			kept := r.Object.Kind.Resource()
			kinds[r.Object] = true
			needed = append(needed,
				preflight.Right{Verb: "create", Resource: kept}, preflight.Right{Verb: "patch", Resource: kept},
				preflight.Right{Verb: "patch", Group: appsv1.GroupName, Resource: strings.ToLower(workloads[i].Kind) + "s"})
		}
	}
	if len(needed) > 0 {
		needed = append(needed, w.SweepRights(store.KindsOf(kinds))...)
	}
	return w.RefuseWithout(ctx, needed, "so that no edit could be rolled out")
}

// rolls reports whether an edit of a referenced object may require a rollout of the workload.
func (w *configWatcher) rolls(workload *impact.Workload, r *configmap.Reference) bool {
	if !workload.Rolls || !r.Configures() {
		return false
	}
	return len(w.named) == 0 || slices.ContainsFunc(w.named, func(head configmap.Object) bool {
		of, _, version := configmap.SplitName(r.Object.Name)
		return r.Object == head || version && r.Object.Kind == head.Kind && of == head.Name
	})
}
