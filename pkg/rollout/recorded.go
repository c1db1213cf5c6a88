package rollout

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// TemplateOfRevision is the pod template in a ControllerRevision of a StatefulSet or DaemonSet; those of other owners
// need not have one.
func TemplateOfRevision(of *appsv1.ControllerRevision) (*corev1.PodTemplateSpec, bool, error) {
	var data struct {
		Spec struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(of.Data.Raw, &data); err != nil {
		return nil, false, fmt.Errorf("ControllerRevision %q does not parse: %w", of.Name, err)
	}
	return data.Spec.Template, data.Spec.Template != nil, nil
}

// TypedTemplate reads a pod template as the API server holds it, without the fields that this client does not know.
func TypedTemplate(template map[string]any) (*corev1.PodTemplateSpec, error) {
	return rawTemplate(template).typed()
}
