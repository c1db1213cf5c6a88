package rollout

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// tidy removes the copies of the record that the Deployment controller made on ReplicaSets, and the record itself where
// somebody else has opened the gate. They do no harm, so that a write which fails is no failure of the rollout.
func (s *session) tidy(ctx context.Context, snapshot *Snapshot) {
	options := metav1.PatchOptions{FieldManager: s.FieldManager}
	for _, rs := range snapshot.ReplicaSets {
		if body := withoutRecord(rs, nil); body != nil {
			_, _ = s.Client.AppsV1().ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.MergePatchType, body, options)
		}
	}
	if body := withoutRecord(snapshot.Deployment, &snapshot.Deployment.ResourceVersion); body != nil {
		_, _ = s.Client.AppsV1().Deployments(s.key.Namespace).Patch(ctx, s.key.Name, types.MergePatchType, body, options)
	}
}

// withoutRecord is the patch that removes the record from this very object, nil where it has none.
func withoutRecord(object metav1.Object, resourceVersion *string) []byte {
	if _, found := object.GetAnnotations()[Annotation]; !found {
		return nil
	}
	metadata := map[string]any{"uid": object.GetUID(), "annotations": map[string]any{Annotation: nil}}
	if resourceVersion != nil {
		metadata["resourceVersion"] = *resourceVersion
	}
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return nil
	}
	return body
}
