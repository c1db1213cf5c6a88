package rollout

import (
	"bytes"
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// ownOnce leaves what the manifest says to the manager that applies it. The write that began the rollout made the same
// manager an owner of the second sort (Update), and while that one is there a field stays when the next manifest drops it.
func (s *session) ownOnce(ctx context.Context) error {
	for {
		object, err := getRaw(ctx, s.Client, "deployments", s.key.Namespace, s.key.Name)
		if err != nil {
			return err
		}
		entries := object.GetManagedFields()
		changed, err := ownedOnce(entries, s.FieldManager)
		if err != nil || !changed {
			return err
		}
		p := &patch{}
		p.set("/metadata/resourceVersion", object.GetResourceVersion())
		p.set("/metadata/managedFields", entries)
		if _, err = s.patchDeployment(ctx, s.key, p, false); !apierrors.IsConflict(err) {
			return err
		}
	}
}

// ownedOnce takes from a manager's Update entry what its Apply entry holds, and tells whether there was anything.
func ownedOnce(entries []metav1.ManagedFieldsEntry, manager string) (bool, error) {
	var applied fieldpath.Set
	for _, entry := range entries {
		if isEntry(entry, manager, metav1.ManagedFieldsOperationApply) {
			if err := applied.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
				return false, err
			}
		}
	}
	changed := false
	for i, entry := range entries {
		if !isEntry(entry, manager, metav1.ManagedFieldsOperationUpdate) {
			continue
		}
		var updated fieldpath.Set
		if err := updated.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			return false, err
		}
		rest := updated.Difference(&applied)
		if rest.Equals(&updated) {
			continue
		}
		text, err := rest.ToJSON()
		if err != nil {
			return false, err
		}
		entries[i].FieldsV1, changed = &metav1.FieldsV1{}, true
		entries[i].FieldsV1.SetRawBytes(text)
	}
	return changed, nil
}

func isEntry(entry metav1.ManagedFieldsEntry, manager string, operation metav1.ManagedFieldsOperationType) bool {
	return entry.Manager == manager && entry.Operation == operation && entry.Subresource == "" && entry.FieldsV1 != nil
}
