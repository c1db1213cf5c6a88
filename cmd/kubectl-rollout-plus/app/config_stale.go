package app

import (
	"cmp"
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// named returns the content of the one named object. The content is nil if the object does not exist but a workload takes
// configuration from it. In that case it also returns all workloads, which it had to read.
func (f *staleFlags) named(ctx context.Context, s *configSession, object configmap.Object,
) (map[configmap.Object]*configmap.Content, []impact.Workload, error) {
	found, err := s.Reader.Get(ctx, object)
	if err == nil {
		return map[configmap.Object]*configmap.Content{object: found.Content}, nil, nil
	}
	var workloads []impact.Workload
	if apierrors.IsNotFound(err) {
		if workloads, err = s.Reader.Workloads(ctx); err == nil && !impact.IsNamed(object, workloads) {
			err = s.Absent(object)
		}
	}
	if err != nil {
		s.env.ended(configObject(s.Namespace, object), "", "", err)
		return nil, nil, err
	}
	return map[configmap.Object]*configmap.Content{object: nil}, workloads, nil
}

// goneFrom reports whether pods are to be rolled out without an object that does not exist. It prints which pods cannot
// start without the object, and for which pods it is unknown whether they started without.
func (s *configSession) goneFrom(ctx context.Context, object configmap.Object, workloads []impact.Workload) (bool, error) {
	change, affected, err := s.Reader.Gone(ctx, object, workloads)
	if err != nil {
		return false, err
	}
	if impact.SomeBlock(affected) {
		s.tell("warning: %v", store.RefuseBlocked(object, s.Namespace, affected))
		return false, nil
	}
	if impact.SomeRoll(affected) {
		return true, nil
	}
	s.settled(object, cmp.Or(s.Uncertain(change, affected), store.NoNeed))
	return false, nil
}

// settled reports an object for which nothing is rolled out.
func (s *configSession) settled(object configmap.Object, text string) {
	text = fmt.Sprintf("%s %s", object, text)
	_, _ = fmt.Fprintln(s.env.Out, s.env.connection().Text(text))
	s.env.ended(configObject(s.Namespace, object), rollout.Unchanged, text, nil)
}

// catchUp rolls out all workloads that do not run with an object's present content, or with its absence.
func (c *changer) catchUp(ctx context.Context, h *store.Live, along map[configmap.Object]*configmap.Content) error {
	c.head, c.want, c.along = h, h.Holds(), along
	return c.conclude(c.run(ctx))
}
