package attach

import (
	"fmt"
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// AddArguments appends arguments to the named container of a pod template, or to its first container if the name is empty.
// $(VAR) in them stands for a variable.
func AddArguments(template map[string]any, container string, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	spec, _ := template["spec"].(map[string]any)
	target, err := containerNamed(spec, container)
	if err != nil {
		return err
	}
	own, _ := target["args"].([]any)
	own = slices.Clone(own)
	for _, argument := range arguments {
		own = append(own, argument)
	}
	target["args"] = own
	return nil
}

// Unset returns the variables that a pod template's containers use but nothing sets, each with its container. Those in written
// stand in arguments and other variables, where Kubernetes passes them on as written. Those in paths stand in a subPathExpr,
// which keeps the container from starting. A container with envFrom is left out, since envFrom may set the variable.
func Unset(template map[string]any) (written, paths []string) {
	for _, spec := range entries(template, "spec") {
		for _, list := range []string{"initContainers", "containers"} {
			for _, container := range entries(spec, list) {
				if len(entries(container, "envFrom")) > 0 {
					continue
				}
				u := unset{set: map[string]bool{}, container: container["name"]}
				u.environment(container)
				for _, field := range []string{"command", "args"} {
					words, _ := container[field].([]any)
					for _, word := range words {
						text, _ := word.(string)
						u.in(text, &u.written)
					}
				}
				for _, mount := range entries(container, "volumeMounts") {
					text, _ := mount["subPathExpr"].(string)
					u.in(text, &u.paths)
				}
				written, paths = append(written, u.written...), append(paths, u.paths...)
			}
		}
	}
	return written, paths
}

// unset collects the unset variables of one container.
type unset struct {
	set            map[string]bool
	container      any
	written, paths []string
}

// environment checks the container's variables in order. Each one sees only those before it.
func (u *unset) environment(container map[string]any) {
	for _, variable := range entries(container, "env") {
		text, _ := variable["value"].(string)
		u.in(text, &u.written)
		name, _ := variable["name"].(string)
		u.set[name] = true
	}
}

// in adds the unset variables that a text uses.
func (u *unset) in(text string, to *[]string) {
	configmap.Expand(text, func(name string) string {
		told := fmt.Sprintf("$(%s) in container %q", name, u.container)
		if !u.set[name] && !slices.Contains(*to, told) {
			*to = append(*to, told)
		}
		return ""
	})
}
