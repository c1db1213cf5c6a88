package rollout

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// tidy removes the copies of the record that the Deployment controller made on ReplicaSets. It removes the record
// itself if somebody else has opened the gate. Left-overs do no harm, so that a write that fails is no failure of the
// rollout. It also removes the cause of an earlier revision from a ReplicaSet that is used again, since the controller
// does not.
func (s *session) tidy(ctx context.Context, snapshot *Snapshot) {
	options := s.patchOptions(false)
	for _, rs := range s.copiesOn(ctx, snapshot) {
		if body := withoutRecord(rs, snapshot.staleOn(rs)...); body != nil {
			_, _ = s.Client.AppsV1().ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.MergePatchType, body, options)
		}
	}
	if d, is := s.returned(ctx, snapshot.Workload).(*appsv1.Deployment); is && d.Annotations[Annotation] != "" && endedRecord(d) == nil {
		p := newGatePatch(d)
		p.withoutRecord()
		_ = s.write(ctx, p)
	}
}

// copiesOn returns the ReplicaSets that may have a copy of the record. Watches that are held back may bring the newest copies too
// late, so the API server is asked then.
func (s *session) copiesOn(ctx context.Context, snapshot *Snapshot) []*appsv1.ReplicaSet {
	if !s.toldHeldBack || snapshot.deployment() == nil {
		return snapshot.ReplicaSets
	}
	sets, err := kube.ReplicaSets(ctx, s.Client, snapshot.deployment())
	if err != nil {
		return snapshot.ReplicaSets
	}
	return sets
}

// staleOn returns the annotations of the current ReplicaSet that the Deployment no longer has.
func (s *Snapshot) staleOn(rs *appsv1.ReplicaSet) []string {
	if s.deployment().Annotations[workload.ChangeCauseAnnotation] != "" || s.Current() == nil || s.Current().UID != rs.UID {
		return nil
	}
	return []string{workload.ChangeCauseAnnotation}
}

// withoutRecord returns the patch that removes the record and other annotations from this very object. It returns nil
// if the object has none of them.
func withoutRecord(object metav1.Object, others ...string) []byte {
	annotations := map[string]any{}
	for _, key := range append(others, Annotation) {
		if _, found := object.GetAnnotations()[key]; found {
			annotations[key] = nil
		}
	}
	if len(annotations) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": object.GetUID(), "annotations": annotations}})
	if err != nil {
		return nil
	}
	return body
}
