package impact

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// pathNeeds returns the other objects whose variables make up the subPathExpr of a mount of the changed object.
func (c *Change) pathNeeds(spec *corev1.PodSpec) []configmap.Object {
	var needs []configmap.Object
	for _, ctr := range configmap.ContainersOf(spec) {
		names := map[string]bool{}
		for i := range ctr.VolumeMounts {
			if mount := &ctr.VolumeMounts[i]; c.mounts(spec, mount) {
				variablesOf(ctr.Env, mount.SubPathExpr, names)
			}
		}
		for _, r := range configmap.EnvironmentReferences(ctr.Container) {
			takes := names[r.Variable]
			if r.Source == configmap.FromEnvFrom {
				takes = takesMore(ctr.Env, names)
			}
			if takes && !c.Touches(r.Object) {
				needs = append(needs, r.Object)
			}
		}
	}
	return needs
}

// mounts reports whether a mount is of a volume with files of the changed object.
func (c *Change) mounts(spec *corev1.PodSpec, mount *corev1.VolumeMount) bool {
	volume := configmap.VolumeOf(spec, mount.Name)
	return volume != nil && slices.ContainsFunc(configmap.ProjectionsOf(volume), func(p configmap.Projection) bool { return c.Touches(p.Object) })
}

// variablesOf adds the variables that a text uses, and those that their values use.
func variablesOf(env []corev1.EnvVar, text string, names map[string]bool) {
	configmap.Expand(text, func(name string) string {
		if names[name] {
			return ""
		}
		names[name] = true
		for i := range env {
			if env[i].Name == name {
				variablesOf(env, env[i].Value, names)
			}
		}
		return ""
	})
}

// takesMore reports whether some of the variables are not set in env, or only by an optional reference.
func takesMore(env []corev1.EnvVar, names map[string]bool) bool {
	for name := range names {
		certain := slices.ContainsFunc(env, func(v corev1.EnvVar) bool {
			_, _, optional, _ := configmap.KeyReference(&v)
			return v.Name == name && !optional
		})
		if !certain {
			return true
		}
	}
	return false
}
