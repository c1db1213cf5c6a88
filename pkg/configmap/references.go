package configmap

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// Source is the way in which configuration gets into a container.
type Source string

// The sources. A change's reasons use the first seven.
const (
	FromEnv       Source = "env"
	FromEnvFrom   Source = "envFrom"
	FromCommand   Source = "command"
	FromArgs      Source = "args"
	FromVolume    Source = "volume"
	FromProjected Source = "projected"
	FromSubPath   Source = "subPath"
	// FromDriver is a Secret that a volume's driver reads when it mounts the volume.
	FromDriver Source = "driver"
	// FromPull is a Secret that images are pulled with.
	FromPull Source = "imagePullSecrets"
)

// Rank returns the position of a source in the order of reasons. What a template names directly comes before what follows from
// it.
func (s Source) Rank() int {
	return slices.Index([]Source{FromEnv, FromEnvFrom, FromCommand, FromArgs, FromVolume, FromProjected, FromSubPath}, s)
}

// Reference is a place in a pod template that names a ConfigMap or a Secret.
type Reference struct {
	Object Object
	Source Source
	// Container is empty for a reference of the pod as a whole, and for a volume that no container mounts.
	Container string
	// Keys are the keys that the reference names. Without any, all keys count.
	Keys     []string
	Optional bool
	// Prefix is the prefix of an envFrom.
	Prefix string
	// Variable is the name of an environment variable.
	Variable string
	// Path is where a volume is mounted.
	Path string
}

// Configures reports whether the reference configures a container. Other Secrets are credentials for images and volumes. They
// are always taken in their newest state and are no part of a revision.
func (r *Reference) Configures() bool { return r.Source != FromPull && r.Source != FromDriver }

// References returns all places of a pod template that name a ConfigMap or a Secret.
func References(spec *corev1.PodSpec) []Reference {
	var all []Reference
	mounted := map[string]bool{}
	for _, c := range ContainersOf(spec) {
		all = append(all, EnvironmentReferences(c.Container)...)
		for i := range c.VolumeMounts {
			mount := &c.VolumeMounts[i]
			if volume := VolumeOf(spec, mount.Name); volume != nil {
				mounted[mount.Name] = true
				all = append(all, volumeReferences(volume, c.Name, mount)...)
			}
		}
	}
	for i := range spec.Volumes {
		if volume := &spec.Volumes[i]; !mounted[volume.Name] {
			all = append(all, volumeReferences(volume, "", &corev1.VolumeMount{})...)
		}
	}
	for _, secret := range spec.ImagePullSecrets {
		all = append(all, Reference{Object: Object{Secret, secret.Name}, Source: FromPull, Optional: true})
	}
	return all
}

// Container is a container of any sort: init, regular or ephemeral.
type Container struct {
	*corev1.Container
	// Order is the position in which the container starts.
	Order int
	// Once says that an init container ends. It reads files only once, as other containers read the environment.
	Once bool
}

// ContainersOf returns all containers of a pod in the order in which they start. A sidecar is an init container that keeps
// running.
func ContainersOf(spec *corev1.PodSpec) []Container {
	var all []Container
	add := func(c *corev1.Container, once bool) { all = append(all, Container{c, len(all), once}) }
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		add(c, ptr.Deref(c.RestartPolicy, "") != corev1.ContainerRestartPolicyAlways)
	}
	for i := range spec.Containers {
		add(&spec.Containers[i], false)
	}
	for i := range spec.EphemeralContainers {
		// The API defines the two types so that one converts to the other.
		add((*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon), false)
	}
	return all
}

// EnvironmentReferences returns the places of a container that take variables from a ConfigMap or a Secret.
func EnvironmentReferences(c *corev1.Container) []Reference {
	var all []Reference
	for i := range c.EnvFrom {
		from := &c.EnvFrom[i]
		if object, optional, found := EnvFromObject(from); found {
			all = append(all, Reference{Object: object, Source: FromEnvFrom, Container: c.Name, Optional: optional, Prefix: from.Prefix})
		}
	}
	for i := range c.Env {
		if object, key, optional, found := KeyReference(&c.Env[i]); found {
			all = append(all, Reference{
				Object: object, Source: FromEnv, Container: c.Name, Keys: []string{key}, Optional: optional, Variable: c.Env[i].Name,
			})
		}
	}
	return all
}

// EnvFromObject returns the object that an envFrom takes its variables from.
func EnvFromObject(from *corev1.EnvFromSource) (object Object, optional, found bool) {
	switch {
	case from.ConfigMapRef != nil:
		return Object{ConfigMap, from.ConfigMapRef.Name}, ptr.Deref(from.ConfigMapRef.Optional, false), true
	case from.SecretRef != nil:
		return Object{Secret, from.SecretRef.Name}, ptr.Deref(from.SecretRef.Optional, false), true
	}
	return Object{}, false, false
}

// KeyReference returns the object and key that a variable takes its value from. A value beats valueFrom, though the API refuses
// both.
func KeyReference(variable *corev1.EnvVar) (object Object, key string, optional, found bool) {
	from := variable.ValueFrom
	switch {
	case variable.Value != "" || from == nil:
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		return Object{ConfigMap, ref.Name}, ref.Key, ptr.Deref(ref.Optional, false), true
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		return Object{Secret, ref.Name}, ref.Key, ptr.Deref(ref.Optional, false), true
	}
	return Object{}, "", false, false
}

func volumeReferences(volume *corev1.Volume, container string, mount *corev1.VolumeMount) []Reference {
	var all []Reference
	for _, p := range ProjectionsOf(volume) {
		if p.Object == (Object{}) {
			continue
		}
		source := p.Source
		if mount.SubPath != "" || mount.SubPathExpr != "" {
			source = FromSubPath
		}
		reference := Reference{Object: p.Object, Source: source, Container: container, Optional: p.Optional, Path: mount.MountPath}
		for _, item := range p.Items {
			reference.Keys = append(reference.Keys, item.Key)
		}
		all = append(all, reference)
	}
	if name := driverSecret(volume); name != "" {
		all = append(all, Reference{Object: Object{Secret, name}, Source: FromDriver, Container: container, Path: mount.MountPath})
	}
	return all
}

// VolumeOf returns the volume of a name, or nil if there is none.
func VolumeOf(spec *corev1.PodSpec, name string) *corev1.Volume {
	i := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &spec.Volumes[i]
}
