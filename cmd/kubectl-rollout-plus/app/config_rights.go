package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// mayWrite refuses to wait for edits that could not be rolled out for lack of a right. Other commands find that out when
// they try their writes; here there may be nothing to write yet.
func (w *configWatcher) mayWrite(ctx context.Context, workloads []configmap.Workload) error {
	var needed []preflight.Right
	for i := range workloads {
		for _, r := range configmap.References(workloads[i].Spec) {
			if !w.rolls(&workloads[i], &r) {
				continue
			}
			kept := r.Object.Kind.Resource()
			needed = append(needed,
				preflight.Right{Verb: "create", Resource: kept}, preflight.Right{Verb: "patch", Resource: kept},
				preflight.Right{Verb: "patch", Group: appsv1.GroupName, Resource: strings.ToLower(workloads[i].Kind) + "s"})
		}
	}
	asked := map[preflight.Right]bool{}
	for _, right := range needed {
		if !asked[right] && !w.engine.May(ctx, w.namespace, &right) {
			return fmt.Errorf("the right to %s %s in namespace %q is missing, so that no edit could be rolled out", right.Verb, right.Resource, w.namespace)
		}
		asked[right] = true
	}
	return context.Cause(ctx)
}

// rolls tells whether a workload may have to be rolled out for an edit of what it references.
func (w *configWatcher) rolls(workload *configmap.Workload, r *configmap.Reference) bool {
	if !workload.Rolls || !r.Configures() {
		return false
	}
	return len(w.named) == 0 || slices.ContainsFunc(w.named, func(head configmap.Object) bool {
		of, _, version := configmap.SplitName(r.Object.Name)
		return r.Object == head || version && r.Object.Kind == head.Kind && of == head.Name
	})
}
