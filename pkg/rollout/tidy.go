package rollout

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// tidy removes the copies of the record that the Deployment controller made on ReplicaSets, and the record itself where
// somebody else has opened the gate. They do no harm, so that a write which fails is no failure of the rollout. A ReplicaSet
// that is used again may have the cause of an earlier revision, which its controller does not take away: that goes, too.
func (s *session) tidy(ctx context.Context, snapshot *Snapshot) {
	options := s.patchOptions(false)
	for _, rs := range snapshot.ReplicaSets {
		if body := withoutRecord(rs, snapshot.staleOn(rs)...); body != nil {
			_, _ = s.Client.AppsV1().ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.MergePatchType, body, options)
		}
	}
	if d, is := s.returned(ctx, snapshot.Deployment).(*appsv1.Deployment); is && d.Annotations[Annotation] != "" && endedRecord(d) == nil {
		p := newGatePatch(d)
		p.withoutRecord()
		_ = s.write(ctx, p)
	}
}

// staleOn are the annotations of the current ReplicaSet that the Deployment has no more.
func (s *Snapshot) staleOn(rs *appsv1.ReplicaSet) []string {
	if s.Deployment.Annotations[ChangeCauseAnnotation] != "" || s.Current() == nil || s.Current().UID != rs.UID {
		return nil
	}
	return []string{ChangeCauseAnnotation}
}

// withoutRecord is the patch that removes the record from this very object, and other annotations; nil where it has none of
// them.
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
