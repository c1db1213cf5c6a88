package attach

import (
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Rename gives references of a pod template other names and returns how many it has changed. It changes only references that
// configure containers. Others, such as image pull secrets, stay: they are credentials that are always taken in their newest
// state. The template is as the API server holds it, so that fields which this program does not know stay too.
func Rename(template map[string]any, name func(configmap.Object) (string, bool)) int {
	r := renamer{name: name}
	for _, spec := range entries(template, "spec") {
		for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
			for _, container := range entries(spec, list) {
				r.container(container)
			}
		}
		for _, volume := range entries(spec, "volumes") {
			r.in(volume, "configMap", "name", configmap.ConfigMap)
			r.in(volume, "secret", "secretName", configmap.Secret)
			for _, projected := range entries(volume, "projected") {
				for _, source := range entries(projected, "sources") {
					r.in(source, "configMap", "name", configmap.ConfigMap)
					r.in(source, "secret", "name", configmap.Secret)
				}
			}
		}
	}
	return r.changed
}

type renamer struct {
	name    func(configmap.Object) (string, bool)
	changed int
}

func (r *renamer) container(container map[string]any) {
	for _, from := range entries(container, "envFrom") {
		r.in(from, "configMapRef", "name", configmap.ConfigMap)
		r.in(from, "secretRef", "name", configmap.Secret)
	}
	for _, variable := range entries(container, "env") {
		for _, from := range entries(variable, "valueFrom") {
			r.in(from, "configMapKeyRef", "name", configmap.ConfigMap)
			r.in(from, "secretKeyRef", "name", configmap.Secret)
		}
	}
}

// in renames the references in one field.
func (r *renamer) in(of map[string]any, field, nameField string, kind configmap.Kind) {
	for _, reference := range entries(of, field) {
		old, _ := reference[nameField].(string)
		if fresh, given := r.name(configmap.Object{Kind: kind, Name: old}); given && old != "" && fresh != old {
			reference[nameField] = fresh
			r.changed++
		}
	}
}

// entries returns the objects in a field, which is a list or a single object.
func entries(of map[string]any, field string) []map[string]any {
	items, isList := of[field].([]any)
	if !isList {
		items = []any{of[field]}
	}
	var objects []map[string]any
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}
