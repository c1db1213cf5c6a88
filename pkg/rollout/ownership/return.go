package ownership

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Return gives back the fields that the rollout has written: the borrowed ones and, after a rollback, the changed ones. It
// returns the entries to write, and reports whether they differ from the present ones. Fields that others have taken from the
// rollout meanwhile stay theirs. An owner that has left meanwhile does not come back.
func (o *Owners) Return(entries []metav1.ManagedFieldsEntry, fields Fields, back bool) ([]metav1.ManagedFieldsEntry, bool, error) {
	scope := fields.within(back && !o.BorrowedOnly)
	sets := make([]*fieldpath.Set, len(entries))
	ours := fieldpath.NewSet()
	for i := range entries {
		var err error
		if sets[i], err = decode(entries[i].FieldsV1); err != nil {
			return nil, false, err
		}
		if o.isWriter(&entries[i]) {
			ours = ours.Union(onlyIn(sets[i], scope))
		}
	}
	wanted := slices.Clone(sets)
	for i := range entries {
		if o.isWriter(&entries[i]) {
			wanted[i] = sets[i].Difference(ours)
		}
	}
	entries = slices.Clone(entries)
	for i := range o.Before {
		owner := &o.Before[i]
		had, err := decode(owner.Fields)
		if err != nil {
			return nil, false, err
		}
		returned := only(onlyIn(had, scope), func(path fieldpath.Path) bool { return ours.Has(path) || hasBelow(ours, path) })
		at := slices.IndexFunc(entries, func(entry metav1.ManagedFieldsEntry) bool { return owner.is(&entry) })
		switch {
		case at >= 0:
			wanted[at] = wanted[at].Union(returned)
		case owner.Whole && !returned.Empty():
			entries, sets, wanted = append(entries, owner.entry()), append(sets, fieldpath.NewSet()), append(wanted, returned)
		}
	}
	return replaced(entries, sets, wanted)
}

// hasBelow reports whether a set has anything below a path.
func hasBelow(set *fieldpath.Set, path fieldpath.Path) bool {
	for _, element := range path {
		set = set.WithPrefix(element)
	}
	return !set.Empty()
}

func (o *Owner) entry() metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: o.Manager, Operation: o.Operation, APIVersion: o.APIVersion, Subresource: o.Subresource, Time: o.Time, FieldsType: "FieldsV1",
	}
}

// replaced puts new field sets into the entries, and drops entries that no longer own anything. The list never becomes empty,
// since the API server would then forget all owners.
func replaced(entries []metav1.ManagedFieldsEntry, sets, wanted []*fieldpath.Set) ([]metav1.ManagedFieldsEntry, bool, error) {
	var next []metav1.ManagedFieldsEntry
	changed := false
	for i := range entries {
		if wanted[i].Equals(sets[i]) {
			next = append(next, entries[i])
			continue
		}
		changed = true
		if wanted[i].Empty() {
			continue
		}
		fields, err := encode(wanted[i])
		if err != nil {
			return nil, false, err
		}
		entries[i].FieldsV1 = fields
		next = append(next, entries[i])
	}
	return next, changed && len(next) > 0, nil
}

// Without returns the entries as they are after these fields have been removed from the object.
func Without(entries []metav1.ManagedFieldsEntry, removed []Field) ([]metav1.ManagedFieldsEntry, error) {
	rest := slices.Clone(entries)
	for i := range rest {
		set, err := decode(rest[i].FieldsV1)
		if err != nil {
			return nil, err
		}
		if rest[i].FieldsV1, err = encode(set.Difference(onlyIn(set, removed))); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
