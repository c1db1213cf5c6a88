package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Skipped returns a sentence about revisions that are skipped because they have failed, or "" if there are none.
func Skipped(failed []int64) string {
	if len(failed) == 0 {
		return ""
	}
	slices.Sort(failed)
	names := make([]string, len(failed))
	for i, number := range failed {
		names[i] = strconv.FormatInt(number, 10)
	}
	if len(names) == 1 {
		return "revision " + names[0] + " is skipped, since its rollout failed; --to-revision goes there all the same"
	}
	return "revisions " + strings.Join(names, ", ") + " are skipped, since their rollouts failed; --to-revision goes there all the same"
}

// markFailed marks the revision that the rollout goes back from. It reports a write that fails: the way back does not depend on
// the mark.
func (s *session) markFailed(ctx context.Context, snapshot *Snapshot) {
	if newest := snapshot.Newest; newest != nil {
		s.mark(ctx, newest, newest.Revision, "controllerrevisions", func(ctx context.Context, body []byte) error {
			_, err := s.Client.AppsV1().ControllerRevisions(s.key.Namespace).Patch(ctx, newest.Name, types.MergePatchType, body, s.patchOptions(false))
			return err
		})
	}
	for _, rs := range s.source.snapshot().ReplicaSets {
		if workload.RevisionOf(rs) == s.record.ToRevision {
			s.mark(ctx, rs, s.record.ToRevision, "replicasets", func(ctx context.Context, body []byte) error {
				_, err := s.Client.AppsV1().ReplicaSets(s.key.Namespace).Patch(ctx, rs.Name, types.MergePatchType, body, s.patchOptions(false))
				return err
			})
		}
	}
}

func (s *session) mark(ctx context.Context, revision metav1.Object, number int64, resource string, write func(context.Context, []byte) error) {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": revision.GetUID(), "labels": map[string]string{workload.FailedLabel: strconv.FormatInt(number, 10)},
	}})
	if err != nil {
		return
	}
	err = write(ctx, body)
	switch {
	case apierrors.IsForbidden(err):
		err = fmt.Errorf("the right to patch %s in namespace %q is missing: %w", resource, s.key.Namespace, err)
	case err == nil, apierrors.IsNotFound(err), context.Cause(ctx) != nil:
		return
	}
	s.emit(ProgressEvent{Message: fmt.Sprintf("revision %d is not marked as failed, so undo may go there again: %v", number, err)})
}
