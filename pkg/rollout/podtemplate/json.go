package podtemplate

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// SameJSON reports whether two JSON values are the same. They may come from different decoders, with different types of
// numbers.
func SameJSON(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	first, errFirst := json.Marshal(a)
	second, errSecond := json.Marshal(b)
	return errFirst == nil && errSecond == nil && string(first) == string(second)
}

// Convert reads an object into a type that may know only some of its fields.
func Convert(object *unstructured.Unstructured, into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into)
}
