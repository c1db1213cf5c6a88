package attach

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Wire is a way in which a container is to get configuration.
type Wire struct {
	// Source is FromEnvFrom, FromEnv or FromVolume.
	Source configmap.Source
	Head   configmap.Object
	// Prefix is put before the names of the variables of FromEnvFrom.
	Prefix string
	// Variable is the name of the variable that gets the value of the only key.
	Variable string
	// Keys are the keys to take. Without any, all are taken.
	Keys []string
	// Path is a folder, or the path of a file for the only key if File is true.
	Path string
	File bool
}

// Check refuses a wire to a key that the object does not have, or that cannot become a variable.
func (w *Wire) Check(content *configmap.Content) error {
	for _, key := range w.Keys {
		_, text := content.Text[key]
		switch {
		case !content.Has(key):
			return fmt.Errorf("%s has no key %q; it has %s", w.Head, key, strings.Join(content.Keys(), ", "))
		case w.Source == configmap.FromEnv && !text:
			return fmt.Errorf("key %q of %s is binary data, which no variable can have; mount it as a file", key, w.Head)
		}
	}
	return nil
}

// Add adds wires to the named container of a pod template, or to its first container if the name is empty. The wires
// reference the objects by their plain names.
func Add(template map[string]any, container string, wires []Wire) error {
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
	case configmap.FromEnvFrom:
		reference := "configMapRef"
		if w.Head.Kind == configmap.Secret {
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
	case configmap.FromEnv:
		if slices.ContainsFunc(entries(container, "env"), func(v map[string]any) bool { return v["name"] == w.Variable }) {
			return fmt.Errorf("container %q has a variable %q already; remove that one first", container["name"], w.Variable)
		}
		reference := "configMapKeyRef"
		if w.Head.Kind == configmap.Secret {
			reference = "secretKeyRef"
		}
		variable := map[string]any{
			"name": w.Variable, "valueFrom": map[string]any{reference: map[string]any{"name": w.Head.Name, "key": w.Keys[0]}},
		}
		// The variable comes before all others, so that every $(VAR) sees it.
		rest, _ := container["env"].([]any)
		container["env"] = append([]any{variable}, rest...)
	default:
		return w.mount(spec, container)
	}
	return nil
}

// mount adds a volume with the files. A single file in a folder that images do not have needs no subPath. Without subPath, the
// file is a link to the newest content. In other folders a volume would hide the files of the image.
func (w *Wire) mount(spec, container map[string]any) error {
	at, from := path.Clean(w.Path), map[string]any{}
	for _, key := range w.Keys {
		push(from, "items", map[string]any{"key": key, "path": key})
	}
	mount := map[string]any{"mountPath": at, "readOnly": true}
	if w.File {
		folder, file := path.Split(at)
		item := map[string]any{"key": w.Keys[0], "path": file}
		folder, from["items"] = path.Clean(folder), []any{item}
		if joined, err := w.join(spec, container, folder, item); joined || err != nil {
			return err
		}
		if isOfConfiguration(folder) && mountAt(container, folder) == nil {
			mount["mountPath"] = folder
		} else {
			mount["subPath"] = file
		}
	}
	if err := free(spec, container, fmt.Sprint(mount["mountPath"])); err != nil {
		return err
	}
	source, nameField, prefix := w.volume()
	from[nameField] = w.Head.Name
	mount["name"] = freeVolume(spec, prefix+w.Head.Name)
	push(spec, "volumes", map[string]any{"name": mount["name"], source: from})
	push(container, "volumeMounts", mount)
	return nil
}

// volume returns the field of the volume source, the field of its name in it, and the prefix of the volume's name.
func (w *Wire) volume() (source, nameField, prefix string) {
	if w.Head.Kind == configmap.Secret {
		return "secret", "secretName", "secret-"
	}
	return "configMap", "name", "config-"
}

// join adds a file to an existing volume of the same object that is mounted at the folder.
func (w *Wire) join(spec, container map[string]any, folder string, item map[string]any) (bool, error) {
	mount := mountAt(container, folder)
	if mount == nil || mount["subPath"] != nil {
		return false, nil
	}
	source, nameField, _ := w.volume()
	for _, from := range entries(volumeNamed(spec, mount["name"]), source) {
		files := entries(from, "items")
		if from[nameField] != w.Head.Name || len(files) == 0 {
			continue
		}
		if slices.ContainsFunc(files, func(f map[string]any) bool { return f["path"] == path.Base(w.Path) }) {
			return false, fmt.Errorf("container %q has a file %s already; choose another path", container["name"], path.Clean(w.Path))
		}
		push(from, "items", item)
		return true, nil
	}
	return false, nil
}

// isOfConfiguration reports whether a folder holds only configuration by convention, so that images do not have it. Any other
// folder may hold files that the image's programs need, whatever its name.
func isOfConfiguration(folder string) bool {
	return slices.Contains([]string{"/config", "/conf", "/configs", "/secret", "/secrets"}, folder)
}

// free refuses a path at which a volume cannot be mounted. Volumes with configuration are read-only, so nothing can be mounted
// inside them.
func free(spec, container map[string]any, at string) error {
	for _, mount := range entries(container, "volumeMounts") {
		other := mountPath(mount)
		switch {
		case other == at:
			return fmt.Errorf("container %q has a volume at %s already; choose another path", container["name"], at)
		case isIn(other, at) && hasConfiguration(volumeNamed(spec, mount["name"])):
			return fmt.Errorf("container %q has a volume at %s, in which nothing else can be mounted; choose another path", container["name"], other)
		case isIn(at, other):
			return fmt.Errorf("container %q has a volume at %s, which cannot be in one at %s; choose another path", container["name"], other, at)
		}
	}
	return nil
}

// isIn reports whether a path is in a folder.
func isIn(folder, at string) bool { return strings.HasPrefix(at, strings.TrimSuffix(folder, "/")+"/") }

func hasConfiguration(volume map[string]any) bool {
	return slices.ContainsFunc([]string{"configMap", "secret", "projected", "downwardAPI"}, func(source string) bool {
		return volume[source] != nil
	})
}

func mountAt(container map[string]any, at string) map[string]any {
	for _, mount := range entries(container, "volumeMounts") {
		if mountPath(mount) == at {
			return mount
		}
	}
	return nil
}

func mountPath(mount map[string]any) string {
	at, _ := mount["mountPath"].(string)
	return path.Clean(at)
}

func volumeNamed(spec map[string]any, name any) map[string]any {
	for _, volume := range entries(spec, "volumes") {
		if volume["name"] == name {
			return volume
		}
	}
	return nil
}

// freeVolume returns a volume name that is not yet in use.
func freeVolume(spec map[string]any, wish string) string {
	wish = strings.Trim(strings.ReplaceAll(wish, ".", "-"), "-")
	wish = strings.TrimRight(wish[:min(len(wish), 58)], "-")
	name := wish
	for n := 2; slices.ContainsFunc(entries(spec, "volumes"), func(v map[string]any) bool { return v["name"] == name }); n++ {
		name = fmt.Sprintf("%s-%d", wish, n)
	}
	return name
}

func push(to map[string]any, field string, entry map[string]any) {
	list, _ := to[field].([]any)
	to[field] = append(list, entry)
}
