package configuration

import (
	"cmp"
	"context"
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// GoneFrom reports whether pods are to be rolled out without an object that does not exist. It prints which pods cannot
// start without the object, and for which pods it is unknown whether they started without.
func (s *ConfigSession) GoneFrom(ctx context.Context, object configmap.Object, workloads []impact.Workload) (bool, error) {
	change, affected, err := s.Reader.Gone(ctx, object, workloads)
	if err != nil {
		return false, err
	}
	if impact.SomeBlock(affected) {
		s.Tell("warning: %v", store.RefuseBlocked(object, s.Namespace, affected))
		return false, nil
	}
	if impact.SomeRoll(affected) {
		return true, nil
	}
	s.Settled(object, cmp.Or(s.Uncertain(change, affected), store.NoNeed))
	return false, nil
}

// Settled reports an object for which nothing is rolled out.
func (s *ConfigSession) Settled(object configmap.Object, text string) {
	text = fmt.Sprintf("%s %s", object, text)
	_, _ = fmt.Fprintln(s.Env.Out, s.Env.Connection().Text(text))
	s.Env.Ended(cli.ConfigObject(s.Namespace, object), rollout.Unchanged, text, nil)
}

// CatchUp rolls out all workloads that do not run with an object's present content, or with its absence.
func (c *Changer) CatchUp(ctx context.Context, h *store.Live, along map[configmap.Object]*configmap.Content) error {
	c.Head, c.Want, c.along = h, h.Holds(), along
	return c.conclude(c.run(ctx))
}
