package ownership

import (
	"reflect"
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// sameAt reports whether two objects have the same value at a path. It reports false if an element of the path is missing.
func sameAt(a, b any, path fieldpath.Path) bool {
	for _, element := range path {
		var foundA, foundB bool
		a, foundA = child(a, element)
		b, foundB = child(b, element)
		if !foundA || !foundB {
			return false
		}
	}
	return reflect.DeepEqual(a, b)
}

// child returns the value that a path element stands for in decoded JSON.
func child(parent any, element fieldpath.PathElement) (any, bool) {
	if element.FieldName != nil {
		object, _ := parent.(map[string]any)
		found, is := object[*element.FieldName]
		return found, is
	}
	list, _ := parent.([]any)
	if element.Index != nil {
		if at := *element.Index; at >= 0 && at < len(list) {
			return list[at], true
		}
		return nil, false
	}
	at := slices.IndexFunc(list, func(item any) bool { return isItem(item, element) })
	if at < 0 {
		return nil, false
	}
	return list[at], true
}

// isItem reports whether a path element names a list item by its value or its key.
func isItem(item any, element fieldpath.PathElement) bool {
	if element.Value != nil {
		return value.Equals(value.NewValueInterface(item), *element.Value)
	}
	object, is := item.(map[string]any)
	if !is || element.Key == nil {
		return false
	}
	for _, key := range *element.Key {
		if field, found := object[key.Name]; !found || !value.Equals(value.NewValueInterface(field), key.Value) {
			return false
		}
	}
	return true
}
