package ownership

import (
	"bytes"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Field is the path of a field, as the names on the way to it. It also stands for everything below the field.
type Field []string

func (f Field) path() fieldpath.Path {
	path := make(fieldpath.Path, len(f))
	for i := range f {
		path[i].FieldName = &f[i]
	}
	return path
}

// Fields are the fields that a rollout writes.
type Fields struct {
	// Borrowed are the fields that the rollout changes while it is open.
	Borrowed []Field
	// Changed are the fields that the rollout changes for good, unless it goes back.
	Changed []Field
}

// within returns the fields that a rollout gives back: the borrowed ones and, after a rollback, also the changed ones.
func (f Fields) within(back bool) []Field {
	if back {
		return slices.Concat(f.Borrowed, f.Changed)
	}
	return f.Borrowed
}

// covers reports whether a path leads to one of the fields, to a part of one, or to a parent of one.
func covers(fields []Field, path fieldpath.Path) bool {
	return slices.ContainsFunc(fields, func(field Field) bool {
		for i := range min(len(field), len(path)) {
			if name := path[i].FieldName; name == nil || *name != field[i] {
				return false
			}
		}
		return true
	})
}

// only returns the members of a set for which a condition holds.
func only(set *fieldpath.Set, holds func(fieldpath.Path) bool) *fieldpath.Set {
	found := fieldpath.NewSet()
	set.Iterate(func(path fieldpath.Path) {
		if holds(path) {
			found.Insert(path.Copy())
		}
	})
	return found
}

func onlyIn(set *fieldpath.Set, fields []Field) *fieldpath.Set {
	return only(set, func(path fieldpath.Path) bool { return covers(fields, path) })
}

// decode reads the fields of an entry.
func decode(fields *metav1.FieldsV1) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if fields == nil {
		return set, nil
	}
	return set, set.FromJSON(bytes.NewReader(fields.GetRawBytes()))
}

func encode(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	text, err := set.ToJSON()
	if err != nil {
		return nil, err
	}
	fields := &metav1.FieldsV1{}
	fields.SetRawBytes(text)
	return fields, nil
}
