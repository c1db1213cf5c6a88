package podtemplate

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Template is a pod template as the API server holds it, with the fields that this client does not know yet. Only
// such a template may be written back: a typed one would lose them.
type Template map[string]any

// Of returns the pod template of a workload or ReplicaSet, without the label that the controller adds to ReplicaSets'.
func Of(object *unstructured.Unstructured) (Template, error) {
	template, found, err := unstructured.NestedMap(object.Object, "spec", "template")
	if err != nil || !found {
		return nil, fmt.Errorf("%s %q has no pod template", object.GetKind(), object.GetName())
	}
	unstructured.RemoveNestedField(template, "metadata", "labels", appsv1.DefaultDeploymentUniqueLabelKey)
	return template, nil
}

// Typed converts the template. Fields that this client does not know are lost.
func (t Template) Typed() (*corev1.PodTemplateSpec, error) {
	var template corev1.PodTemplateSpec
	return &template, runtime.DefaultUnstructuredConverter.FromUnstructured(t, &template)
}

// ImageChange sets the image of a container. An empty Container means the only one, "*" means all of them.
type ImageChange struct{ Container, Image string }

// EnvChange sets or removes an environment variable of a container. An empty Container means all containers.
type EnvChange struct {
	Container, Name, Value string
	Remove                 bool
}

// Containers returns the containers of a list of the template ("containers" or "initContainers"). Changes to them
// change the template.
func (t Template) Containers(list string) []map[string]any {
	spec, _ := t["spec"].(map[string]any)
	items, _ := spec[list].([]any)
	containers := make([]map[string]any, 0, len(items))
	for _, item := range items {
		if container, ok := item.(map[string]any); ok {
			containers = append(containers, container)
		}
	}
	return containers
}

// find returns the container with a name. If there is none, its error lists the containers that exist.
func (t Template) find(name string) (map[string]any, error) {
	var names []string
	for _, container := range append(t.Containers("containers"), t.Containers("initContainers")...) {
		if container["name"] == name {
			return container, nil
		}
		names = append(names, fmt.Sprint(container["name"]))
	}
	return nil, fmt.Errorf("there is no container %q in the pod template; it has %s", name, strings.Join(names, ", "))
}

// SetImage sets the image of the containers that a change names.
func (t Template) SetImage(change ImageChange) error {
	targets := t.Containers("containers")
	switch change.Container {
	case "*":
	case "":
		if len(targets) != 1 {
			names := make([]string, len(targets))
			for i, container := range targets {
				names[i] = fmt.Sprint(container["name"])
			}
			return fmt.Errorf("the pod template has %d containers (%s); name the one that is to run %q, as in --image %s=%s",
				len(targets), strings.Join(names, ", "), change.Image, names[0], change.Image)
		}
	default:
		container, err := t.find(change.Container)
		if err != nil {
			return err
		}
		targets = []map[string]any{container}
	}
	for _, container := range targets {
		container["image"] = change.Image
	}
	return nil
}

// SetEnv sets or removes an environment variable of the containers that a change names.
func (t Template) SetEnv(change EnvChange) error {
	targets := t.Containers("containers")
	if change.Container != "" {
		container, err := t.find(change.Container)
		if err != nil {
			return err
		}
		targets = []map[string]any{container}
	}
	for _, container := range targets {
		env, _ := container["env"].([]any)
		if env = editEnv(env, change); len(env) == 0 {
			delete(container, "env")
		} else {
			container["env"] = env
		}
	}
	return nil
}

// editEnv keeps the order of the variables, since later ones may refer to earlier ones.
func editEnv(env []any, change EnvChange) []any {
	entry := map[string]any{"name": change.Name, "value": change.Value}
	if change.Value == "" {
		delete(entry, "value")
	}
	kept, placed := make([]any, 0, len(env)+1), change.Remove
	for _, item := range env {
		variable, _ := item.(map[string]any)
		if variable["name"] != change.Name {
			kept = append(kept, item)
		} else if !placed {
			kept, placed = append(kept, entry), true
		}
	}
	if !placed {
		kept = append(kept, entry)
	}
	return kept
}
