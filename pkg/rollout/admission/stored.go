package admission

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// TemplateSetBack returns an AlteredError if the stored workload still has values that the asked template was to change.
func TemplateSetBack(before workload.Object, asked *corev1.PodTemplateSpec, stored workload.Object) error {
	template, err := runtime.DefaultUnstructuredConverter.ToUnstructured(asked)
	if err != nil {
		return err
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(stored)
	if err != nil {
		return err
	}
	fields, err := TemplateFieldsSetBack(before, template, object)
	if err != nil || len(fields) == 0 {
		return err
	}
	return &AlteredError{Fields: fields}
}

// CreatedOtherwise returns an AlteredError if the API server created an object with other values in its spec than asked for.
// Values that the server has added do not count.
func CreatedOtherwise(asked, created runtime.Object) error {
	wanted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(asked)
	if err != nil {
		return err
	}
	stored, err := runtime.DefaultUnstructuredConverter.ToUnstructured(created)
	if err != nil {
		return err
	}
	fields := Missing("spec", wanted["spec"], stored["spec"])
	if len(fields) == 0 {
		return nil
	}
	return &AlteredError{Fields: fields}
}

// NothingStored returns an AlteredError if a patch was to change the spec of an object, but the object has its old generation
// and lacks the values.
func NothingStored(patch map[string]any, before, stored runtime.Object) error {
	was, isOld := before.(metav1.Object)
	is, isNew := stored.(metav1.Object)
	if patch["spec"] == nil || !isOld || !isNew || was.GetGeneration() != is.GetGeneration() {
		return nil
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(stored)
	if err != nil {
		return err
	}
	fields := Missing("spec", patch["spec"], object["spec"])
	if len(fields) == 0 {
		return nil
	}
	return &AlteredError{Fields: fields, After: "; nothing was changed"}
}
