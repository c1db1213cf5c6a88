package app

import (
	"errors"
	"slices"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"
)

// found stands for an object in a list of errors: visitors give those of what cannot be read back all at once, in an order
// of their own, and that is the order in which kubectl tells of them together with what becomes of the objects.
type found struct{ info *resource.Info }

func (f *found) Error() string { return "found " + f.info.ObjectName() }

// allFound reads all objects before any is acted on. Of each it gives a *found, or why it cannot be read.
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

// foundOnce leaves out objects that are named again, as two files may.
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

// eachFound does something with each object that was found, and gives what has failed in its place.
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
