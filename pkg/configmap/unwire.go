package configmap

import (
	"slices"
)

// Detach removes the references to objects by which containers of a pod template get configuration. It returns their number. A
// volume that is left empty goes with its mounts. Image pull secrets and Secrets of volume drivers stay.
func Detach(template map[string]any, of func(Object) bool) int {
	d := detacher{of: of}
	for _, spec := range entries(template, "spec") {
		gone := map[any]bool{}
		d.keep(spec, "volumes", func(volume map[string]any) bool {
			stays := d.volume(volume)
			gone[volume["name"]] = !stays
			return stays
		})
		for _, list := range []string{"containers", "initContainers"} {
			for _, container := range entries(spec, list) {
				d.keep(container, "volumeMounts", func(mount map[string]any) bool { return !gone[mount["name"]] })
				d.keep(container, "envFrom", func(from map[string]any) bool {
					return !d.is(from, "configMapRef", "name", ConfigMap) && !d.is(from, "secretRef", "name", Secret)
				})
				d.keep(container, "env", func(variable map[string]any) bool {
					return !slices.ContainsFunc(entries(variable, "valueFrom"), func(from map[string]any) bool {
						return d.is(from, "configMapKeyRef", "name", ConfigMap) || d.is(from, "secretKeyRef", "name", Secret)
					})
				})
			}
		}
	}
	return d.removed
}

type detacher struct {
	of      func(Object) bool
	removed int
}

// volume reports whether a volume stays.
func (d *detacher) volume(volume map[string]any) bool {
	if d.is(volume, "configMap", "name", ConfigMap) || d.is(volume, "secret", "secretName", Secret) {
		return false
	}
	for _, projected := range entries(volume, "projected") {
		had := len(entries(projected, "sources"))
		d.keep(projected, "sources", func(source map[string]any) bool {
			return !d.is(source, "configMap", "name", ConfigMap) && !d.is(source, "secret", "name", Secret)
		})
		if had > 0 && len(entries(projected, "sources")) == 0 {
			return false
		}
	}
	return true
}

func (d *detacher) is(of map[string]any, field, nameField string, kind Kind) bool {
	for _, reference := range entries(of, field) {
		if name, _ := reference[nameField].(string); name != "" && d.of(Object{kind, name}) {
			d.removed++
			return true
		}
	}
	return false
}

// keep removes the entries of a list that do not stay, and the field itself if the list becomes empty.
func (d *detacher) keep(in map[string]any, field string, stays func(map[string]any) bool) {
	items, isList := in[field].([]any)
	if !isList {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(items), func(item any) bool {
		entry, ok := item.(map[string]any)
		return ok && !stays(entry)
	})
	if in[field] = kept; len(kept) == 0 {
		delete(in, field)
	}
}
