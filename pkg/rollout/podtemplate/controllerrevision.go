package podtemplate

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// OfRevision returns the pod template in a ControllerRevision, and whether there is one. Those of a StatefulSet
// or DaemonSet have one. ControllerRevisions of other owners may have none.
func OfRevision(of *appsv1.ControllerRevision) (*corev1.PodTemplateSpec, bool, error) {
	template, err := recordedAs[*corev1.PodTemplateSpec](of)
	return template, template != nil, err
}

// RawOfRevision returns the pod template in a ControllerRevision as the API server holds it.
func RawOfRevision(of *appsv1.ControllerRevision) (Template, error) {
	template, err := recordedAs[map[string]any](of)
	switch {
	case err != nil:
		return nil, err
	case template == nil:
		return nil, fmt.Errorf("ControllerRevision %q has no pod template", of.Name)
	}
	delete(template, "$patch") // the controller stores the template as a patch that replaces it as a whole
	return template, nil
}

// recordedAs reads the pod template of a ControllerRevision into a type.
func recordedAs[T any](of *appsv1.ControllerRevision) (T, error) {
	var data struct {
		Spec struct {
			Template T `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(of.Data.Raw, &data); err != nil {
		return data.Spec.Template, fmt.Errorf("ControllerRevision %q does not parse: %w", of.Name, err)
	}
	return data.Spec.Template, nil
}

// Typed converts a pod template from the API server's form. Fields that this client does not know are lost.
func Typed(template map[string]any) (*corev1.PodTemplateSpec, error) {
	return Template(template).Typed()
}
