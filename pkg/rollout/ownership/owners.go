// Package ownership knows who owned the fields that a rollout writes, and gives them back. It reads and returns
// metadata.managedFields, and writes nothing to the cluster. docs/ownership.md describes the protocol.
package ownership

import (
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Owners are the owners of the fields that a rollout writes, as they were before it. The record of the rollout keeps them.
type Owners struct {
	// Writers are the names under which the rollout has written.
	Writers []string `json:"writers"`
	Before  []Owner  `json:"before,omitempty"`
	// BorrowedOnly means that no owners of the changed fields are known, because there were too many to keep.
	BorrowedOnly bool `json:"borrowedOnly,omitempty"`
}

// Owner is the part of a managedFields entry that concerns these fields.
type Owner struct {
	Manager     string                            `json:"manager"`
	Operation   metav1.ManagedFieldsOperationType `json:"operation"`
	APIVersion  string                            `json:"apiVersion,omitempty"`
	Subresource string                            `json:"subresource,omitempty"`
	Time        *metav1.Time                      `json:"time,omitempty"`
	Fields      *metav1.FieldsV1                  `json:"fields"`
	// Whole means that the entry had no other fields. It is gone while the rollout owns these.
	Whole bool `json:"whole,omitempty"`
}

// is reports whether the API server takes an entry for this owner. It distinguishes appliers by name alone.
func (o *Owner) is(entry *metav1.ManagedFieldsEntry) bool {
	return o.Manager == entry.Manager && o.Operation == entry.Operation && o.Subresource == entry.Subresource &&
		(o.Operation == metav1.ManagedFieldsOperationApply || o.APIVersion == entry.APIVersion)
}

// Object is a workload, reduced to what its ownership depends on.
type Object struct {
	Entries []metav1.ManagedFieldsEntry
	// Content is the whole object as decoded JSON.
	Content map[string]any
}

// Find returns the owners of the fields that a rollout is about to write. after is the object with the changed fields as the
// rollout wants them. Of the changed fields, Find keeps those that differ, and those that the writer itself owns. It keeps none
// of them if the result would take more than limit bytes.
func Find(before Object, after map[string]any, fields Fields, writer string, limit int) (*Owners, error) {
	found := &Owners{Writers: []string{writer}}
	err := found.find(before, fields, func(path fieldpath.Path) bool {
		return covers(fields.Changed, path) && !sameAt(before.Content, after, path)
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(found)
	if err != nil || len(text) <= limit {
		return found, err
	}
	fields.Changed = nil
	found = &Owners{Writers: []string{writer}, BorrowedOnly: true}
	return found, found.find(before, fields, func(fieldpath.Path) bool { return false })
}

func (o *Owners) find(before Object, fields Fields, changes func(fieldpath.Path) bool) error {
	for i := range before.Entries {
		entry := &before.Entries[i]
		owned, err := decode(entry.FieldsV1)
		if err != nil {
			return err
		}
		kept := only(owned, func(path fieldpath.Path) bool {
			return covers(fields.Borrowed, path) || o.isWriter(entry) && covers(fields.Changed, path) || changes(path)
		})
		if err := o.add(entry, owned, kept); err != nil {
			return err
		}
	}
	return nil
}

// Unknown returns the owners for a rollout whose owners nobody recorded. Its writers are the managers that own the written
// field.
func Unknown(entries []metav1.ManagedFieldsEntry, written Field) (*Owners, error) {
	o := &Owners{BorrowedOnly: true}
	for i := range entries {
		owned, err := decode(entries[i].FieldsV1)
		if err != nil {
			return nil, err
		}
		if owned.Has(written.path()) && entries[i].Operation == metav1.ManagedFieldsOperationUpdate {
			o.Writers = append(o.Writers, entries[i].Manager)
		}
	}
	return o, nil
}

// isWriter reports whether an entry holds fields that the rollout itself owns.
func (o *Owners) isWriter(entry *metav1.ManagedFieldsEntry) bool {
	return entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == "" && slices.Contains(o.Writers, entry.Manager)
}

// add records fields that an entry owns, together with those already recorded for it.
func (o *Owners) add(entry *metav1.ManagedFieldsEntry, owned, kept *fieldpath.Set) error {
	if kept.Empty() {
		return nil
	}
	at := slices.IndexFunc(o.Before, func(known Owner) bool { return known.is(entry) })
	if at < 0 {
		at = len(o.Before)
		o.Before = append(o.Before, Owner{
			Manager: entry.Manager, Operation: entry.Operation, APIVersion: entry.APIVersion, Subresource: entry.Subresource, Time: entry.Time,
		})
	}
	known, err := decode(o.Before[at].Fields)
	if err != nil {
		return err
	}
	all := known.Union(kept)
	o.Before[at].Whole = owned.Difference(all).Empty()
	o.Before[at].Fields, err = encode(all)
	return err
}

// Join returns the owners with one more writer that is about to write for the first time. It returns the same owners if the
// writer is known.
func (o *Owners) Join(entries []metav1.ManagedFieldsEntry, fields Fields, writer string) (*Owners, error) {
	if slices.Contains(o.Writers, writer) {
		return o, nil
	}
	joined := o.copy()
	joined.Writers = append(joined.Writers, writer)
	for i := range entries {
		if entry := &entries[i]; joined.isWriter(entry) && entry.Manager == writer {
			owned, err := decode(entry.FieldsV1)
			if err != nil {
				return nil, err
			}
			if err := joined.add(entry, owned, onlyIn(owned, fields.within(!o.BorrowedOnly))); err != nil {
				return nil, err
			}
		}
	}
	return joined, nil
}

// Take returns the owners after others have changed fields during the rollout. The present owners of those fields replace the
// recorded ones.
func (o *Owners) Take(entries []metav1.ManagedFieldsEntry, changed []Field) (*Owners, error) {
	if len(changed) == 0 {
		return o, nil
	}
	taken := &Owners{Writers: o.Writers, BorrowedOnly: o.BorrowedOnly}
	for _, owner := range o.Before {
		set, err := decode(owner.Fields)
		if err != nil {
			return nil, err
		}
		if set = set.Difference(onlyIn(set, changed)); set.Empty() {
			continue
		}
		if owner.Fields, err = encode(set); err != nil {
			return nil, err
		}
		taken.Before = append(taken.Before, owner)
	}
	for i := range entries {
		owned, err := decode(entries[i].FieldsV1)
		if err != nil {
			return nil, err
		}
		if err := taken.add(&entries[i], owned, onlyIn(owned, changed)); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func (o *Owners) copy() *Owners {
	return &Owners{Writers: slices.Clone(o.Writers), Before: slices.Clone(o.Before), BorrowedOnly: o.BorrowedOnly}
}
