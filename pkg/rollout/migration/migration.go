// Package migration moves the fields that kubectl apply has set to server-side apply, as kubectl apply --server-side does. It
// reads and returns objects and metadata.managedFields, and writes nothing to the cluster.
package migration

import (
	"bytes"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Migration describes the fields that move to a manager which applies a manifest.
type Migration struct {
	// manager applies the manifest.
	manager string
	// clientSide are the field managers of kubectl apply. Their fields move to the manager.
	clientSide sets.Set[string]
	// former are the names under which the manager applied before.
	former []string
}

// Of returns the migration that an object with these entries needs. The names in own never count as managers of kubectl apply.
func Of(entries []metav1.ManagedFieldsEntry, manager string, former, own []string) Migration {
	m := Migration{manager: manager, clientSide: sets.New[string]()}
	annotation := fieldpath.NewSet(fieldpath.MakePathOrDie("metadata", "annotations", corev1.LastAppliedConfigAnnotation))
	for _, entry := range csaupgrade.FindFieldsOwners(entries, metav1.ManagedFieldsOperationUpdate, annotation) {
		if entry.Subresource == "" && !slices.Contains(own, entry.Manager) {
			m.clientSide.Insert(entry.Manager)
		}
	}
	for i := range entries {
		if entry := &entries[i]; isApply(entry) && entry.Manager != manager && slices.Contains(former, entry.Manager) {
			m.former = append(m.former, entry.Manager)
		}
	}
	return m
}

// Needed reports whether there is anything to migrate.
func (m Migration) Needed() bool { return len(m.clientSide)+len(m.former) > 0 }

// Covers reports whether the fields of an entry with this manager and operation move to the manager.
func (m Migration) Covers(manager string, operation metav1.ManagedFieldsOperationType) bool {
	if operation == metav1.ManagedFieldsOperationApply {
		return slices.Contains(m.former, manager)
	}
	return m.clientSide.Has(manager)
}

func (m Migration) covers(entry *metav1.ManagedFieldsEntry) bool {
	return entry.Subresource == "" && m.Covers(entry.Manager, entry.Operation)
}

// Entries returns the entries after the migration.
func (m Migration) Entries(entries []metav1.ManagedFieldsEntry) ([]metav1.ManagedFieldsEntry, error) {
	entries, names := slices.Clone(entries), m.clientSide.Clone()
	for i := range entries {
		if entry := &entries[i]; isApply(entry) && m.covers(entry) {
			// The library merges only entries of clients that update. No client has this name, since names of clients contain
			// no slash.
			entry.Operation, entry.Manager = metav1.ManagedFieldsOperationUpdate, entry.Manager+"/apply"
			names.Insert(entry.Manager)
		}
	}
	holder := &unstructured.Unstructured{Object: map[string]any{}}
	holder.SetManagedFields(entries)
	err := csaupgrade.UpgradeManagedFields(holder, names, m.manager)
	return holder.GetManagedFields(), err
}

// Finish removes from an object the fields that the manifest does not name and that only the migrated managers have set. The
// object is the answer to an apply before the migration. Finish leaves it as an apply after the migration would.
func (m Migration) Finish(object *unstructured.Unstructured) error {
	entries := object.GetManagedFields()
	last, kept := fieldpath.NewSet(), fieldpath.NewSet()
	for i := range entries {
		entry := &entries[i]
		owned, err := fieldsOf(entry)
		if err != nil {
			return err
		}
		if migrates := m.covers(entry); migrates {
			last = last.Union(owned)
		} else {
			kept = kept.Union(owned)
		}
	}
	prune(object.Object, last, kept)
	var left []metav1.ManagedFieldsEntry
	for i := range entries {
		if !m.covers(&entries[i]) {
			left = append(left, entries[i])
		}
	}
	object.SetManagedFields(left)
	return nil
}

func isApply(entry *metav1.ManagedFieldsEntry) bool {
	return entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}

func fieldsOf(entry *metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if entry.FieldsV1 == nil {
		return set, nil
	}
	return set, set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes()))
}
