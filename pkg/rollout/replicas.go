package rollout

import (
	"bytes"
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// keepReplicas keeps the live replicas if a manifest must not change them. This is so if an autoscaler or a scale
// command has set them. It is also so if the manifest no longer names them, since an apply would then set 1.
func (s *session) keepReplicas(ctx context.Context, m *manifest, live *liveWorkload) error {
	current := workload.PodCountsOf(live.typed).Desired
	_, given, _ := unstructured.NestedFieldNoCopy(m.body.Object, "spec", "replicas")
	asked, isNumber, _ := unstructured.NestedNumberAsFloat64(m.body.Object, "spec", "replicas")
	switch {
	case !given:
		owners, others := replicasOwners(live.raw.GetManagedFields(), func(entry *metav1.ManagedFieldsEntry) bool {
			applies := entry.Manager == s.FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply
			return applies || m.migration.Covers(entry.Manager, entry.Operation)
		})
		if !owners {
			return nil
		}
		if !others && current != 1 {
			m.note = fmt.Sprintf("replicas stay %d: the manifest does not name them any more, and an apply of it would set 1", current)
		}
	case !isNumber || asked == float64(current): // the API server refuses a value that is no number
		return nil
	default:
		scaler, err := s.scaler(ctx, live, asked)
		if scaler == "" || err != nil {
			return err
		}
		m.note = fmt.Sprintf("replicas stay %d, not %v as in the manifest: %s; remove spec.replicas from the manifest", current, asked, scaler)
	}
	m.keepsReplicas = true
	return unstructured.SetNestedField(m.body.Object, int64(current), "spec", "replicas")
}

// scaler returns who scales the workload besides its manifest, as part of a sentence, or "". asked is the number of
// replicas in the manifest.
func (s *session) scaler(ctx context.Context, live *liveWorkload, asked float64) (string, error) {
	list, err := s.Client.AutoscalingV2().HorizontalPodAutoscalers(s.key.Namespace).List(ctx, metav1.ListOptions{})
	switch {
	case apierrors.IsForbidden(err) || apierrors.IsNotFound(err): // once an autoscaler has scaled, the fields' owners show that as well
	case err != nil:
		return "", kube.Answered(err)
	default:
		for i := range list.Items {
			if target := list.Items[i].Spec.ScaleTargetRef; target.Kind == s.kind && target.Name == s.key.Name {
				return fmt.Sprintf("HorizontalPodAutoscaler %q sets them", list.Items[i].Name), nil
			}
		}
	}
	for _, entry := range live.raw.GetManagedFields() {
		if entry.Subresource == "scale" && entry.Manager != s.FieldManager && ownsReplicas(&entry) {
			return fmt.Sprintf("%q has scaled the %s, and %s is for that", entry.Manager, s.kind,
				command.Quoted("kubectl scale %s/%s -n %s --replicas=%v", workload.ResourceOf(live.typed), s.key.Name, s.key.Namespace, asked)), nil
		}
	}
	return "", nil
}

// replicasOwners reports whether any of these entries owns the replicas, and whether any other entry does.
func replicasOwners(entries []metav1.ManagedFieldsEntry, these func(entry *metav1.ManagedFieldsEntry) bool) (owned, others bool) {
	for i := range entries {
		if entry := &entries[i]; ownsReplicas(entry) {
			is := these(entry)
			owned, others = owned || is, others || !is
		}
	}
	return owned, others
}

func ownsReplicas(entry *metav1.ManagedFieldsEntry) bool {
	var owned fieldpath.Set
	return entry.FieldsV1 != nil && owned.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())) == nil &&
		owned.Has(fieldpath.MakePathOrDie("spec", "replicas"))
}
