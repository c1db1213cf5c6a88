package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight/survey"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// missing returns those of the rights that the user does not have.
func (s *Session) missing(ctx context.Context, rights []preflight.Right) []preflight.Right {
	asked := map[preflight.Right]bool{}
	var all []preflight.Right
	for _, right := range rights {
		if !asked[right] {
			asked[right], all = true, append(all, right)
		}
	}
	var asking sync.WaitGroup
	for i := range all {
		asking.Go(func() { all[i].Allowed = survey.May(ctx, s.Engine.Client, s.Namespace, &all[i]) })
	}
	asking.Wait()
	return slices.DeleteFunc(all, func(right preflight.Right) bool { return right.Allowed })
}

// RefuseWithout returns an error if some rights are missing. why describes what they are needed for.
func (s *Session) RefuseWithout(ctx context.Context, rights []preflight.Right, why string) error {
	missing := s.missing(ctx, rights)
	if len(missing) == 0 {
		return context.Cause(ctx)
	}
	texts := make([]string, len(missing))
	for i, right := range missing {
		texts[i] = right.String()
	}
	return fmt.Errorf("the right to %s in namespace %q is missing, %s", strings.Join(texts, ", "), s.Namespace, why)
}

// MaySweep returns an error if the rights to sweep are missing. Without them, nobody could find out at the end which
// versions are no longer needed. A try of the writes checks the rights to write versions.
func (s *Session) MaySweep(ctx context.Context, kinds []configmap.Kind) error {
	if s.Versions.Foresees {
		return nil
	}
	return s.RefuseWithout(ctx, s.SweepRights(kinds), "without which it cannot be told which versions are needed; nothing was written")
}

// SweepRights returns the rights that a sweep needs.
func (s *Session) SweepRights(kinds []configmap.Kind) []preflight.Right {
	var all []preflight.Right
	for _, kind := range kinds {
		for _, verb := range []string{"get", "list", "patch", "delete"} {
			all = append(all, preflight.Right{Verb: verb, Resource: kind.Resource()})
		}
	}
	for _, l := range s.Versions.holderLists() {
		all = append(all, preflight.Right{Verb: "list", Group: l.Group, Resource: l.Resource})
	}
	return all
}
