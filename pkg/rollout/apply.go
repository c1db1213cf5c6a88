package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

var errNotOurs = errors.New("somebody has changed the Deployment since")

// own records that the manifest's fields are managed by applying it. The fields that the rollout borrows are left out:
// an apply that owned them would remove them with the next manifest that does not name them. What is applied to is what the
// write that began the rollout has left, or an apply would take back what others have done since.
func (p *prepared) own(ctx context.Context, s *session) error {
	if p.wanted.manifest == nil {
		return nil
	}
	manifest := p.wanted.manifest.DeepCopy()
	for _, field := range []string{"strategy", "minReadySeconds", "progressDeadlineSeconds"} {
		unstructured.RemoveNestedField(manifest.Object, "spec", field)
	}
	for try := 1; ; try++ {
		live, err := s.Deployment(ctx, s.key)
		switch {
		case err != nil:
		case p.left(live, s.uid):
			manifest.SetResourceVersion(live.ResourceVersion)
			_, err = s.apply(ctx, manifest, true, false)
		default:
			err = errNotOurs
		}
		if apierrors.IsConflict(err) && try < ConflictTries {
			if err = PauseForConflict(ctx, s.Clock, try); err == nil {
				continue
			}
		}
		if err == nil {
			err = s.ownOnce(ctx)
		}
		if err != nil {
			return fmt.Errorf("the manifest's fields are set, but their ownership could not be recorded: %w", err)
		}
		return nil
	}
}

// left tells whether a Deployment is as the write that began the rollout has left it, as far as an apply of the manifest goes.
func (p *prepared) left(live *appsv1.Deployment, uid types.UID) bool {
	text := ""
	if p.replicas > 0 {
		var err error
		if text, err = p.record.encode(); err != nil {
			return false
		}
	}
	return live.UID == uid && live.Annotations[Annotation] == text && replicasOf(live) == p.replicas && live.Spec.Paused == p.wanted.typed.Spec.Paused &&
		SameTemplate(&live.Spec.Template, &p.wanted.typed.Spec.Template)
}

// ownOnce leaves what the manifest says to the manager that applies it. The write that began the rollout made the same
// manager an owner of the second sort (Update), and while that one is there a field stays when the next manifest drops it.
func (s *session) ownOnce(ctx context.Context) error {
	for try := 1; ; try++ {
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
		if _, err = s.patchDeployment(ctx, s.key, p, false); !apierrors.IsConflict(err) || try >= ConflictTries {
			return err
		}
		if err := PauseForConflict(ctx, s.Clock, try); err != nil {
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
