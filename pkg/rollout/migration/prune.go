package migration

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// prune removes the fields that are in last but not in kept, with everything below them. It needs no schema, so it also removes
// fields that this client does not know.
func prune(node any, last, kept *fieldpath.Set) {
	object, is := node.(map[string]any)
	if !is {
		return
	}
	for name, child := range object {
		element := fieldpath.FieldNameElement(name)
		switch {
		case !holds(last, element):
		case !holds(kept, element):
			delete(object, name)
		default:
			object[name] = pruneChild(child, last.WithPrefix(element), kept.WithPrefix(element))
		}
	}
}

// pruneChild returns what remains of a field that stays.
func pruneChild(child any, last, kept *fieldpath.Set) any {
	list, is := child.([]any)
	if !is {
		prune(child, last, kept)
		return child
	}
	rest := make([]any, 0, len(list))
	for i, item := range list {
		element, found := find(last, item, i)
		switch {
		case !found:
		case last.Members.Has(element) && !holds(kept, element):
			continue
		default:
			prune(item, last.WithPrefix(element), kept.WithPrefix(element))
		}
		rest = append(rest, item)
	}
	return rest
}

// holds reports whether a set contains an element, or anything below it.
func holds(set *fieldpath.Set, element fieldpath.PathElement) bool {
	return set.Members.Has(element) || !set.WithPrefix(element).Empty()
}

// find returns the element of a set that stands for a list item.
func find(set *fieldpath.Set, item any, index int) (fieldpath.PathElement, bool) {
	var elements []fieldpath.PathElement
	for element := range set.Members.All() {
		elements = append(elements, element)
	}
	for element := range set.Children.All() {
		elements = append(elements, element)
	}
	at := slices.IndexFunc(elements, func(element fieldpath.PathElement) bool { return isItem(element, item, index) })
	if at < 0 {
		return fieldpath.PathElement{}, false
	}
	return elements[at], true
}

func isItem(element fieldpath.PathElement, item any, index int) bool {
	switch {
	case element.Index != nil:
		return *element.Index == index
	case element.Value != nil:
		return value.Equals(*element.Value, value.NewValueInterface(item))
	case element.Key == nil:
		return false
	}
	object, is := item.(map[string]any)
	return is && !slices.ContainsFunc(*element.Key, func(key value.Field) bool {
		field, found := object[key.Name]
		return !found || !value.Equals(key.Value, value.NewValueInterface(field))
	})
}
