package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// missing returns those of the rights that the user does not have.
func (s *configSession) missing(ctx context.Context, rights []preflight.Right) []preflight.Right {
	asked := map[preflight.Right]bool{}
	var all []preflight.Right
	for _, right := range rights {
		if !asked[right] {
			asked[right], all = true, append(all, right)
		}
	}
	var asking sync.WaitGroup
	for i := range all {
		asking.Go(func() { all[i].Allowed = s.engine.May(ctx, s.namespace, &all[i]) })
	}
	asking.Wait()
	return slices.DeleteFunc(all, func(right preflight.Right) bool { return right.Allowed })
}

// refuseWithout returns an error if some rights are missing. why describes what they are needed for.
func (s *configSession) refuseWithout(ctx context.Context, rights []preflight.Right, why string) error {
	missing := s.missing(ctx, rights)
	if len(missing) == 0 {
		return context.Cause(ctx)
	}
	texts := make([]string, len(missing))
	for i, right := range missing {
		texts[i] = right.String()
	}
	return fmt.Errorf("the right to %s in namespace %q is missing, %s", strings.Join(texts, ", "), s.namespace, why)
}

// maySweep returns an error if the rights to sweep are missing. Without them, nobody could find out at the end which
// versions are no longer needed. A try of the writes checks the rights to write versions.
func (s *configSession) maySweep(ctx context.Context, kinds []configmap.Kind) error {
	if s.store.foresees {
		return nil
	}
	return s.refuseWithout(ctx, s.sweepRights(kinds), "without which it cannot be told which versions are needed; nothing was written")
}

// sweepRights returns the rights that a sweep needs.
func (s *configSession) sweepRights(kinds []configmap.Kind) []preflight.Right {
	var all []preflight.Right
	for _, kind := range kinds {
		for _, verb := range []string{"get", "list", "patch", "delete"} {
			all = append(all, preflight.Right{Verb: verb, Resource: kind.Resource()})
		}
	}
	for _, l := range s.store.holderLists() {
		all = append(all, preflight.Right{Verb: "list", Group: l.Group, Resource: l.Resource})
	}
	return all
}

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
		needed = append(needed, w.sweepRights(kindsOf(kinds))...)
	}
	return w.refuseWithout(ctx, needed, "so that no edit could be rolled out")
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
