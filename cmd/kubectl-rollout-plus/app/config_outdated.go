package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// Texts for an object that needs no rollout, the second for one that does not exist.
const (
	runsEverywhere = "runs everywhere as it is"
	noNeed         = "is not there, and no pod has to be replaced for that"
)

// named returns the content of the one named object. The content is nil if the object does not exist but a workload takes
// configuration from it. In that case it also returns all workloads, which it had to read.
func (f *staleFlags) named(ctx context.Context, s *configSession, object configmap.Object,
) (map[configmap.Object]*configmap.Content, []impact.Workload, error) {
	found, err := s.reader.get(ctx, object)
	if err == nil {
		return map[configmap.Object]*configmap.Content{object: found.content}, nil, nil
	}
	var workloads []impact.Workload
	if apierrors.IsNotFound(err) {
		if workloads, err = s.reader.workloads(ctx); err == nil && !isNamed(object, workloads) {
			err = s.absent(object)
		}
	}
	if err != nil {
		s.env.ended(s.configObject(object), "", "", err)
		return nil, nil, err
	}
	return map[configmap.Object]*configmap.Content{object: nil}, workloads, nil
}

// isNamed reports whether a workload takes configuration from an object by its own name.
func isNamed(object configmap.Object, workloads []impact.Workload) bool {
	return slices.ContainsFunc(workloads, func(w impact.Workload) bool { return configmap.NamesPlainly(w.Spec, object) })
}

// outdated reports whether pods may run with other content than the present one of an object without versions. It compares
// when they were started. It does not look at keys that other objects cover, so it reports true too often rather than too
// seldom. If it reports false, text describes the object.
func (s *configSession) outdated(ctx context.Context, object configmap.Object, found *read, workloads []impact.Workload,
) (is bool, text string, err error) {
	text = runsEverywhere
	if found.content.Type == corev1.SecretTypeServiceAccountToken || found.immutable && found.stored().HoldsWhatItsNameSays() {
		return false, text, nil
	}
	change := &impact.Change{
		Object: object, Old: found.content, New: found.content, Present: found.content, Stale: true, Age: impact.AgeOf(&found.meta),
	}
	if err := s.reader.recall(ctx, change, workloads); err != nil {
		return false, "", err
	}
	affected := change.Affected(workloads)
	if uncertain := s.uncertain(change, affected); uncertain != "" {
		text = uncertain
	}
	return someRoll(affected) || someBlock(affected), text, nil
}

// goneFrom reports whether pods are to be rolled out without an object that does not exist. It prints which pods cannot
// start without the object, and for which pods it is unknown whether they started without.
func (s *configSession) goneFrom(ctx context.Context, object configmap.Object, workloads []impact.Workload) (bool, error) {
	change, affected, err := s.reader.gone(ctx, object, workloads)
	if err != nil {
		return false, err
	}
	if someBlock(affected) {
		s.tell("warning: %v", refuseBlocked(object, s.namespace, affected))
		return false, nil
	}
	if someRoll(affected) {
		return true, nil
	}
	s.settled(object, cmp.Or(s.uncertain(change, affected), noNeed))
	return false, nil
}

// gone judges all workloads for an object that does not exist.
func (r *configReader) gone(ctx context.Context, object configmap.Object, workloads []impact.Workload,
) (*impact.Change, []impact.Affected, error) {
	change := &impact.Change{Object: object, Stale: true}
	affected, err := r.judge(ctx, change, workloads)
	return change, affected, err
}

// settled reports an object for which nothing is rolled out.
func (s *configSession) settled(object configmap.Object, text string) {
	text = fmt.Sprintf("%s %s", object, text)
	_, _ = fmt.Fprintln(s.env.Out, s.env.connection().Text(text))
	s.env.ended(s.configObject(object), rollout.Unchanged, text, nil)
}

func someBlock(affected []impact.Affected) bool {
	return slices.ContainsFunc(affected, func(a impact.Affected) bool { return a.Verdict == impact.Block })
}

// someRoll reports whether there are workloads to roll out.
func someRoll(affected []impact.Affected) bool {
	return slices.ContainsFunc(affected, func(a impact.Affected) bool {
		return a.Verdict == impact.Restart || a.Verdict == impact.Live
	})
}

// catchUp rolls out all workloads that do not run with an object's present content, or with its absence.
func (c *changer) catchUp(ctx context.Context, h *head, along map[configmap.Object]*configmap.Content) error {
	c.head, c.want, c.along = h, h.holds(), along
	return c.conclude(c.run(ctx))
}
