package attach

import (
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Remove removes the references to objects by which containers of a pod template get configuration. It returns their number. A
// volume that is left empty goes with its mounts. Image pull secrets and Secrets of volume drivers stay.
func Remove(template map[string]any, of func(configmap.Object) bool) int {
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
					return !d.is(from, "configMapRef", "name", configmap.ConfigMap) && !d.is(from, "secretRef", "name", configmap.Secret)
				})
				d.keep(container, "env", func(variable map[string]any) bool {
					return !slices.ContainsFunc(entries(variable, "valueFrom"), func(from map[string]any) bool {
						return d.is(from, "configMapKeyRef", "name", configmap.ConfigMap) || d.is(from, "secretKeyRef", "name", configmap.Secret)
					})
				})
			}
		}
	}
	return d.removed
}

type detacher struct {
	of      func(configmap.Object) bool
	removed int
}

// volume reports whether a volume stays.
func (d *detacher) volume(volume map[string]any) bool {
	if d.is(volume, "configMap", "name", configmap.ConfigMap) || d.is(volume, "secret", "secretName", configmap.Secret) {
		return false
	}
	for _, projected := range entries(volume, "projected") {
		had := len(entries(projected, "sources"))
		d.keep(projected, "sources", func(source map[string]any) bool {
			return !d.is(source, "configMap", "name", configmap.ConfigMap) && !d.is(source, "secret", "name", configmap.Secret)
		})
		if had > 0 && len(entries(projected, "sources")) == 0 {
			return false
		}
	}
	return true
}

func (d *detacher) is(of map[string]any, field, nameField string, kind configmap.Kind) bool {
	for _, reference := range entries(of, field) {
		if name, _ := reference[nameField].(string); name != "" && d.of(configmap.Object{Kind: kind, Name: name}) {
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
