package rollout

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// revisionOfTemplate returns the revision of a workload's pod template. Its controller gives this revision the highest
// number, also when an earlier template is used again.
func (e *Engine) revisionOfTemplate(ctx context.Context, workload workload.Object) (*appsv1.ControllerRevision, error) {
	revisions, err := e.revisionsOf(ctx, workload)
	if err != nil {
		return nil, err
	}
	return newestOf(revisions), nil
}

// revisionsOf returns all revisions of a workload. It returns an error if there is none.
func (e *Engine) revisionsOf(ctx context.Context, w workload.Object) ([]*appsv1.ControllerRevision, error) {
	revisions, err := kube.ControllerRevisions(ctx, e.Client, w)
	if err == nil && len(revisions) == 0 {
		err = fmt.Errorf("%s %q in namespace %q has no ControllerRevision, which its controller makes of each pod template",
			workload.ResourceOf(w), w.GetName(), w.GetNamespace())
	}
	return revisions, err
}

func newestOf(revisions []*appsv1.ControllerRevision) *appsv1.ControllerRevision {
	return slices.MaxFunc(revisions, func(a, b *appsv1.ControllerRevision) int { return int(a.Revision - b.Revision) })
}

func numbersOf(revisions []*appsv1.ControllerRevision) map[string]int64 {
	numbers := make(map[string]int64, len(revisions))
	for _, revision := range revisions {
		numbers[revision.Name] = revision.Revision
	}
	return numbers
}

// NewestRevision returns the number of a workload's newest revision in its history, or 0 if it is not known.
func (e *Engine) NewestRevision(ctx context.Context, object workload.Object) int64 {
	w := workload.Of(object)
	if w.HasReplicaSets {
		return workload.RevisionOf(object)
	}
	revisions, err := kube.ControllerRevisions(ctx, e.Client, object)
	if err != nil {
		return 0
	}
	var number int64
	for _, revision := range revisions {
		if w.UpdateRevision == "" || w.UpdateRevision == revision.Name {
			number = max(number, revision.Revision)
		}
	}
	return number
}
