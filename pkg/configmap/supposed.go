package configmap

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// anyKey stands for a key whose name is not known.
const anyKey = opaque + "any"

// supposed returns a content with every key of an object that a template names, and one more.
func supposed(spec *corev1.PodSpec, object Object) *Content {
	content := &Content{Text: map[string]string{anyKey: opaque + "supposed"}}
	for _, reference := range References(spec) {
		for _, key := range reference.Keys {
			if reference.Object == object {
				content.Text[key] = opaque + "supposed"
			}
		}
	}
	for _, key := range subPathKeys(spec, object) {
		content.Text[key] = opaque + "supposed"
	}
	return content
}

// subPathKeys returns the keys that a template names by subPath in a volume with all keys.
func subPathKeys(spec *corev1.PodSpec, object Object) []string {
	var keys []string
	for _, c := range containers(spec) {
		for i := range c.VolumeMounts {
			mount := &c.VolumeMounts[i]
			volume := volumeOf(spec, mount.Name)
			if mount.SubPath == "" || volume == nil {
				continue
			}
			whole := slices.ContainsFunc(projections(volume), func(p projection) bool { return p.object == object && len(p.items) == 0 })
			if whole {
				keys = append(keys, path.Clean(mount.SubPath))
			}
		}
	}
	return keys
}
