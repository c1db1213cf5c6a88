package store

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// Texts for an object that needs no rollout, the second for one that does not exist.
const (
	RunsEverywhere = "runs everywhere as it is"
	NoNeed         = "is not there, and no pod has to be replaced for that"
)

// Affected judges all workloads of the namespace. Without a proposal, it assumes that every key changes.
func (r *Reader) Affected(ctx context.Context, object configmap.Object, p *configmap.Proposal) (*impact.Change, []impact.Affected, error) {
	found, err := r.Get(ctx, object)
	if apierrors.IsNotFound(err) && p == nil {
		return r.affectedByNone(ctx, object, err)
	}
	if err != nil {
		return nil, nil, err
	}
	content := found.Content
	change := impact.Supposed(object, content)
	if p != nil {
		if err := p.Check(object, content, r.Namespace); err != nil {
			return nil, nil, err
		}
		change = &impact.Change{Object: object, Old: content, New: content.With(p.Put, p.Removed)}
	}
	change.Age = impact.AgeOf(&found.Meta)
	workloads, err := r.Workloads(ctx)
	if err != nil {
		return nil, nil, err
	}
	affected, err := r.Judge(ctx, change, workloads)
	return change, affected, err
}

// affectedByNone judges all workloads for an object that does not exist. It returns the error missing if no workload
// references the object.
func (r *Reader) affectedByNone(ctx context.Context, object configmap.Object, missing error,
) (*impact.Change, []impact.Affected, error) {
	workloads, err := r.Workloads(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !impact.IsNamed(object, workloads) {
		return nil, nil, missing
	}
	return r.Gone(ctx, object, workloads)
}

// Judge reads what a change of the object means for all workloads. It completes the change with what it has read.
func (r *Reader) Judge(ctx context.Context, change *impact.Change, workloads []impact.Workload) (affected []impact.Affected, err error) {
	if change.Versions, err = r.Versions(ctx, change.Object, workloads); err != nil {
		return nil, err
	}
	if err := r.recall(ctx, change, workloads); err != nil {
		return nil, err
	}
	if change.Others, err = r.others(ctx, change, workloads); err != nil {
		return nil, err
	}
	return change.Affected(workloads), nil
}

// Gone judges all workloads for an object that does not exist.
func (r *Reader) Gone(ctx context.Context, object configmap.Object, workloads []impact.Workload,
) (*impact.Change, []impact.Affected, error) {
	change := &impact.Change{Object: object, Stale: true}
	affected, err := r.Judge(ctx, change, workloads)
	return change, affected, err
}

// Outdated reports whether pods may run with other content than the present one of an object without versions. It compares
// when they were started. It does not look at keys that other objects cover, so it reports true too often rather than too
// seldom. If it reports false, text describes the object.
func (s *Session) Outdated(ctx context.Context, object configmap.Object, found *State, workloads []impact.Workload,
) (is bool, text string, err error) {
	text = RunsEverywhere
	if found.Content.Type == corev1.SecretTypeServiceAccountToken || found.Immutable && found.Stored().HoldsWhatItsNameSays() {
		return false, text, nil
	}
	change := &impact.Change{
		Object: object, Old: found.Content, New: found.Content, Present: found.Content, Stale: true, Age: impact.AgeOf(&found.Meta),
	}
	if err := s.Reader.recall(ctx, change, workloads); err != nil {
		return false, "", err
	}
	affected := change.Affected(workloads)
	if uncertain := s.Uncertain(change, affected); uncertain != "" {
		text = uncertain
	}
	return impact.SomeRoll(affected) || impact.SomeBlock(affected), text, nil
}
