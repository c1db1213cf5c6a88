package configmap

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Wire is a way in which configuration is to get into a container.
type Wire struct {
	// Source is FromEnvFrom, FromEnv or FromVolume.
	Source Source
	Head   Object
	// Prefix is that of the variables of FromEnvFrom.
	Prefix string
	// Variable gets the value of the only key.
	Variable string
	// Keys are those that are taken, all where there are none.
	Keys []string
	// Path is a folder, or with File a file for the only key.
	Path string
	File bool
}

// Check refuses a wire to something that the object has not.
func (w *Wire) Check(content *Content) error {
	for _, key := range w.Keys {
		_, text := content.Text[key]
		switch {
		case !content.Has(key):
			return fmt.Errorf("%s has no key %q; it has %s", w.Head, key, strings.Join(content.Keys(), ", "))
		case w.Source == FromEnv && !text:
			return fmt.Errorf("key %q of %s is binary data, which no variable can have; mount it as a file", key, w.Head)
		}
	}
	return nil
}

// Attach puts wires into a container of a pod template, which is the first where none is named. They reference the heads
// by their names.
func Attach(template map[string]any, container string, wires []Wire) error {
	spec, _ := template["spec"].(map[string]any)
	target, err := containerNamed(spec, container)
	if err != nil {
		return err
	}
	for i := range wires {
		if err := wires[i].attach(spec, target); err != nil {
			return err
		}
	}
	return nil
}

func containerNamed(spec map[string]any, name string) (map[string]any, error) {
	var names []string
	for _, list := range []string{"containers", "initContainers"} {
		for _, container := range entries(spec, list) {
			if name == "" || container["name"] == name {
				return container, nil
			}
			names = append(names, fmt.Sprint(container["name"]))
		}
	}
	return nil, fmt.Errorf("there is no container %q in the pod template; it has %s", name, strings.Join(names, ", "))
}

func (w *Wire) attach(spec, container map[string]any) error {
	switch w.Source {
	case FromEnvFrom:
		reference := "configMapRef"
		if w.Head.Kind == Secret {
			reference = "secretRef"
		}
		source := map[string]any{reference: map[string]any{"name": w.Head.Name}}
		if w.Prefix != "" {
			source["prefix"] = w.Prefix
		}
		if w.isTaken(container, reference) {
			return fmt.Errorf("container %q has the variables of %s already; detach that first, to take it in another way", container["name"], w.Head)
		}
		push(container, "envFrom", source)
	case FromEnv:
		if slices.ContainsFunc(entries(container, "env"), func(v map[string]any) bool { return v["name"] == w.Variable }) {
			return fmt.Errorf("container %q has a variable %q already; remove that one first", container["name"], w.Variable)
		}
		reference := "configMapKeyRef"
		if w.Head.Kind == Secret {
			reference = "secretKeyRef"
		}
		variable := map[string]any{
			"name": w.Variable, "valueFrom": map[string]any{reference: map[string]any{"name": w.Head.Name, "key": w.Keys[0]}},
		}
		// Before all others, so that every $(VAR) sees it.
		rest, _ := container["env"].([]any)
		container["env"] = append([]any{variable}, rest...)
	default:
		return w.mount(spec, container)
	}
	return nil
}

// mount adds a volume with the files. A single file needs no subPath, which would keep it from being a link to the newest
// content, where its folder is one for configuration alone; elsewhere a volume would hide what the image has there.
func (w *Wire) mount(spec, container map[string]any) error {
	at, items := path.Clean(w.Path), []any(nil)
	for _, key := range w.Keys {
		items = append(items, map[string]any{"key": key, "path": key})
	}
	mount := map[string]any{"mountPath": at, "readOnly": true}
	if w.File {
		folder, file := path.Split(at)
		items = []any{map[string]any{"key": w.Keys[0], "path": file}}
		if folder = path.Clean(folder); w.hidesNothing(folder) && !isMounted(container, folder) {
			mount["mountPath"] = folder
		} else {
			mount["subPath"] = file
		}
	}
	if isMounted(container, fmt.Sprint(mount["mountPath"])) {
		return fmt.Errorf("container %q has a volume at %s already; choose another path", container["name"], mount["mountPath"])
	}
	source, nameField, prefix := "configMap", "name", "config-"
	if w.Head.Kind == Secret {
		source, nameField, prefix = "secret", "secretName", "secret-"
	}
	from := map[string]any{nameField: w.Head.Name}
	if len(items) > 0 {
		from["items"] = items
	}
	mount["name"] = freeVolume(spec, prefix+w.Head.Name)
	push(spec, "volumes", map[string]any{"name": mount["name"], source: from})
	push(container, "volumeMounts", mount)
	return nil
}

// hidesNothing tells whether a folder is by its name one for configuration alone.
func (w *Wire) hidesNothing(folder string) bool {
	name := path.Base(folder)
	return slices.Contains([]string{"config", "conf", "configs", "secret", "secrets", w.Head.Name}, name) || strings.HasSuffix(name, ".d")
}

func isMounted(container map[string]any, at string) bool {
	return slices.ContainsFunc(entries(container, "volumeMounts"), func(m map[string]any) bool {
		mounted, _ := m["mountPath"].(string)
		return path.Clean(mounted) == at
	})
}

// freeVolume is a name for a volume that no other has.
func freeVolume(spec map[string]any, wish string) string {
	wish = strings.Trim(strings.ReplaceAll(wish, ".", "-"), "-")
	wish = strings.TrimRight(wish[:min(len(wish), 58)], "-")
	name := wish
	for n := 2; slices.ContainsFunc(entries(spec, "volumes"), func(v map[string]any) bool { return v["name"] == name }); n++ {
		name = fmt.Sprintf("%s-%d", wish, n)
	}
	return name
}

// push appends to a list.
func push(to map[string]any, field string, entry map[string]any) {
	list, _ := to[field].([]any)
	to[field] = append(list, entry)
}
