package survey

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// needs collects the objects without which pods cannot start.
type needs struct{ all []preflight.Reference }

// needsOf returns the objects without which the pods of a template cannot start, except their ServiceAccount.
func needsOf(spec *corev1.PodSpec) []preflight.Reference {
	n, mounted := &needs{}, map[string]bool{}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			n.environment(&containers[i])
			for _, mount := range containers[i].VolumeMounts {
				mounted[mount.Name] = true
			}
		}
	}
	for i := range spec.Volumes {
		// The kubelet sets up no volume that no container mounts; the scheduler waits for every claim.
		if v := &spec.Volumes[i]; mounted[v.Name] || v.PersistentVolumeClaim != nil {
			n.volume(v)
		}
	}
	return n.all
}

func (n *needs) add(kind, name string, optional *bool, keys ...string) {
	if name == "" || optional != nil && *optional {
		return
	}
	at := slices.IndexFunc(n.all, func(r preflight.Reference) bool { return r.Kind == kind && r.Name == name })
	if at < 0 {
		at, n.all = len(n.all), append(n.all, preflight.Reference{Kind: kind, Name: name})
	}
	for _, key := range keys {
		if r := &n.all[at]; !slices.Contains(r.Keys, key) {
			r.Keys = append(r.Keys, key)
		}
	}
}

func (n *needs) volume(v *corev1.Volume) {
	switch {
	case v.ConfigMap != nil:
		n.add("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional, keysOf(v.ConfigMap.Items)...)
	case v.Secret != nil:
		n.add("Secret", v.Secret.SecretName, v.Secret.Optional)
	case v.PersistentVolumeClaim != nil:
		n.add("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName, nil)
	case v.Projected != nil:
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				n.add("ConfigMap", source.ConfigMap.Name, source.ConfigMap.Optional, keysOf(source.ConfigMap.Items)...)
			}
			if source.Secret != nil {
				n.add("Secret", source.Secret.Name, source.Secret.Optional)
			}
		}
	}
}

func keysOf(items []corev1.KeyToPath) []string {
	keys := make([]string, len(items))
	for i := range items {
		keys[i] = items[i].Key
	}
	return keys
}

func (n *needs) environment(c *corev1.Container) {
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			n.add("ConfigMap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		}
		if from.SecretRef != nil {
			n.add("Secret", from.SecretRef.Name, from.SecretRef.Optional)
		}
	}
	for _, env := range c.Env {
		if env.ValueFrom == nil {
			continue
		}
		if ref := env.ValueFrom.ConfigMapKeyRef; ref != nil {
			n.add("ConfigMap", ref.Name, ref.Optional, ref.Key)
		}
		if ref := env.ValueFrom.SecretKeyRef; ref != nil {
			n.add("Secret", ref.Name, ref.Optional)
		}
	}
}
