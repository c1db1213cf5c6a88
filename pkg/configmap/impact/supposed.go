package impact

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// anyKey stands for a key whose name is not known.
const anyKey = configmap.Opaque + "any"

// supposed returns a content with every key of an object that a template names, and one more.
func supposed(spec *corev1.PodSpec, object configmap.Object) *configmap.Content {
	content := &configmap.Content{Text: map[string]string{anyKey: configmap.Opaque + "supposed"}}
	for _, reference := range configmap.References(spec) {
		for _, key := range reference.Keys {
			if reference.Object == object {
				content.Text[key] = configmap.Opaque + "supposed"
			}
		}
	}
	for _, key := range subPathKeys(spec, object) {
		content.Text[key] = configmap.Opaque + "supposed"
	}
	return content
}

// subPathKeys returns the keys that a template names by subPath in a volume with all keys.
func subPathKeys(spec *corev1.PodSpec, object configmap.Object) []string {
	var keys []string
	for _, c := range configmap.ContainersOf(spec) {
		for i := range c.VolumeMounts {
			mount := &c.VolumeMounts[i]
			volume := configmap.VolumeOf(spec, mount.Name)
			if mount.SubPath == "" || volume == nil {
				continue
			}
			whole := slices.ContainsFunc(configmap.ProjectionsOf(volume), func(p configmap.Projection) bool { return p.Object == object && len(p.Items) == 0 })
			if whole {
				keys = append(keys, path.Clean(mount.SubPath))
			}
		}
	}
	return keys
}
