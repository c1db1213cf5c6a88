package configmap

import (
	"fmt"
	"slices"
)

// AddArguments adds to the arguments of a container of a pod template, which is the first where none is named. $(VAR) in them
// stands for a variable.
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

// Unset are the variables that arguments of a pod template's containers name and nothing sets, with their containers: these
// are passed on as they are written. What envFrom may set is none of them.
func Unset(template map[string]any) []string {
	var all []string
	for _, spec := range entries(template, "spec") {
		for _, list := range []string{"initContainers", "containers"} {
			for _, container := range entries(spec, list) {
				if len(entries(container, "envFrom")) == 0 {
					all = append(all, unsetIn(container)...)
				}
			}
		}
	}
	return all
}

func unsetIn(container map[string]any) []string {
	set := map[string]bool{}
	for _, variable := range entries(container, "env") {
		name, _ := variable["name"].(string)
		set[name] = true
	}
	var all []string
	for _, field := range []string{"command", "args"} {
		list, _ := container[field].([]any)
		for _, item := range list {
			text, _ := item.(string)
			expand(text, func(name string) string {
				told := fmt.Sprintf("$(%s) in container %q", name, container["name"])
				if !set[name] && !slices.Contains(all, told) {
					all = append(all, told)
				}
				return ""
			})
		}
	}
	return all
}
