package undo

import (
	"errors"
	"slices"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"
)

// found wraps an object as an error, for use in a list of errors. A visitor returns all errors at once at the end, in its
// own order. With found among them, the objects keep their place in that order, as in kubectl's output.
type found struct{ info *resource.Info }

func (f *found) Error() string { return "found " + f.info.ObjectName() }

// allFound reads all objects before any of them is changed. It returns a *found for each object, or the error of reading
// it.
func allFound(visitor resource.Visitor) []error {
	err := visitor.Visit(func(info *resource.Info, err error) error {
		if err != nil {
			return err
		}
		return &found{info: info}
	})
	var several utilerrors.Aggregate
	switch {
	case err == nil:
		return nil
	case errors.As(err, &several):
		return utilerrors.Flatten(several).Errors()
	}
	return []error{err}
}

// foundOnce removes objects that are named a second time, for example in two files.
func foundOnce(all []error) []error {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(err error) bool {
		var it *found
		if !errors.As(err, &it) {
			return false
		}
		key := it.info.ObjectName() + " " + it.info.Namespace
		again := seen[key]
		seen[key] = true
		return again
	})
}

// eachFound calls do for each object that was found. It returns the results in place of the objects, among the other
// errors.
func eachFound(all []error, do func(*resource.Info) error) []error {
	results := make([]error, 0, len(all))
	for _, err := range all {
		var it *found
		if errors.As(err, &it) {
			err = do(it.info)
		}
		results = append(results, err)
	}
	return results
}
