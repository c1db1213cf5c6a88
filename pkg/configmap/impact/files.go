package impact

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// file is a file of a volume.
type file struct {
	content string
	source  configmap.Source
	keys    []string
	// once says that a running container never sees the file change.
	once bool
}

// lack is an object or key that a volume needs and does not find. Its pod cannot start.
type lack struct {
	source configmap.Source
	key    string
	object configmap.Object
}

func (l lack) String() string {
	if l.key == "" {
		return l.object.String() + " does not exist"
	}
	return l.object.String() + " has no key " + l.key
}

// contents holds the files of a volume.
type contents struct {
	files map[string]file
	lacks []lack
	// complete is false if a source that was not read may have further files.
	complete bool
	optional bool
}

// contents computes the files of a volume as the kubelet writes them: the listed items or all keys. A later source wins.
func (r *renderer) contents(sources []configmap.Projection) contents {
	all := contents{files: map[string]file{}, complete: true, optional: true}
	for _, p := range sources {
		if p.Object == (configmap.Object{}) {
			for _, name := range p.Paths {
				all.files[path.Clean(name)] = file{content: configmap.Opaque, source: p.Source}
			}
			continue
		}
		all.optional = all.optional && p.Optional
		content, known := r.read(p.Object)
		switch {
		case !known:
			all.unread(p)
		case content == nil && !p.Optional:
			all.lacks = append(all.lacks, lack{p.Source, "", p.Object})
		case content != nil:
			all.add(p, content, r.touches(p.Object), r.pinned(p.Object))
		}
	}
	return all
}

// unread adds the paths known from the items of a source that was not read.
func (all *contents) unread(p configmap.Projection) {
	all.complete = all.complete && len(p.Items) > 0
	for _, item := range p.Items {
		name := path.Clean(item.Path)
		// An optional item that may not exist lets a file of an earlier source at the same path show through.
		if _, before := all.files[name]; !before || !p.Optional {
			all.files[name] = file{content: configmap.Opaque + p.Object.String() + ":" + item.Key, source: p.Source}
		}
	}
}

func (all *contents) add(p configmap.Projection, content *configmap.Content, touched, once bool) {
	items := p.Items
	if len(items) == 0 {
		for _, key := range content.Keys() {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		text, found := content.File(item.Key)
		if !found {
			if !p.Optional {
				all.lacks = append(all.lacks, lack{p.Source, item.Key, p.Object})
			}
			continue
		}
		f := file{content: text, source: p.Source, once: once}
		if touched {
			f.keys = []string{item.Key}
		}
		all.files[path.Clean(item.Path)] = f
	}
}

// mount adds what a container sees of a volume. Files change in running containers, except those mounted by subPath.
func (r *renderer) mount(c configmap.Container, mount *corev1.VolumeMount, vars variables) {
	sub, certain := mount.SubPath, true
	if mount.SubPathExpr != "" {
		if sub, certain = r.subPathExpr(c, mount, vars); sub == "" {
			return
		}
	}
	volume := configmap.VolumeOf(r.spec, mount.Name)
	if volume == nil {
		return
	}
	sources := configmap.ProjectionsOf(volume)
	if len(sources) == 0 {
		return
	}
	all := r.contents(sources)
	for _, l := range all.lacks {
		r.problem(c, Reason{Source: l.source, Path: mount.MountPath}, l.keys(r), "%s", l)
	}
	if sub != "" {
		r.subPath(c, mount, sources, all, path.Clean(sub), certain)
		return
	}
	for name, f := range all.files {
		r.file(c, path.Join(mount.MountPath, name), mount, f, c.Once || f.once)
	}
}

// subPath adds a file or folder that is mounted by subPath. It is bound when the container starts and never changes in it.
func (r *renderer) subPath(c configmap.Container, mount *corev1.VolumeMount, sources []configmap.Projection, all contents, sub string, certain bool) {
	found := false
	for name, f := range all.files {
		rest, inside := within(sub, name)
		if certain && !inside {
			continue
		}
		found, f.source = true, configmap.FromSubPath
		if !certain { // it may be any of the files
			rest = name
		}
		r.file(c, path.Join(mount.MountPath, rest), mount, f, true)
	}
	if !found && certain && all.complete && !all.optional {
		r.problem(c, Reason{Source: configmap.FromSubPath, Path: mount.MountPath}, r.keyOf(sources, sub),
			"no file for %s, a folder would take its place", mount.MountPath)
	}
}

// keys returns the missing key if it is one of the changed object.
func (l lack) keys(r *renderer) []string {
	if l.key == "" || !r.touches(l.object) {
		return nil
	}
	return []string{l.key}
}

// keyOf returns the key that a file of this name would come from.
func (r *renderer) keyOf(sources []configmap.Projection, name string) []string {
	for _, p := range sources {
		if r.touches(p.Object) && len(p.Items) == 0 {
			return []string{name}
		}
	}
	return nil
}

func (r *renderer) file(c configmap.Container, at string, mount *corev1.VolumeMount, f file, once bool) {
	if covered(c, at, mount) {
		return
	}
	r.put(c, place{c.Name, "file", at}, fact{value: f.content, once: once, keys: f.keys, reason: Reason{Source: f.source, Path: at}})
}

// covered reports whether another mount hides a file of this one.
func covered(c configmap.Container, at string, mount *corev1.VolumeMount) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(other corev1.VolumeMount) bool {
		_, over := within(path.Clean(other.MountPath), at)
		_, deeper := within(path.Clean(mount.MountPath), path.Clean(other.MountPath))
		return over && deeper && path.Clean(other.MountPath) != path.Clean(mount.MountPath)
	})
}

// within reports whether a path is the folder or lies in it, and returns the rest of the path.
func within(folder, name string) (rest string, inside bool) {
	if name == folder || folder == "." {
		return strings.TrimPrefix(name, folder), true
	}
	rest, inside = strings.CutPrefix(name, strings.TrimSuffix(folder, "/")+"/")
	return rest, inside
}

// subPathExpr returns the path within a volume that the variables produce. It returns "" after recording a problem if there is
// no valid path. certain is false if the path depends on a value that is not known here.
func (r *renderer) subPathExpr(c configmap.Container, mount *corev1.VolumeMount, vars variables) (sub string, certain bool) {
	sub, used := vars.expand(mount.SubPathExpr)
	var keys []string
	whole := true
	for _, name := range used {
		reason := Reason{Source: configmap.FromSubPath, Variable: name, Path: mount.MountPath}
		keys = append(keys, vars[name].keys...)
		r.variable(c, place{c.Name, "subPathExpr", mount.MountPath + " " + name}, reason, vars)
		if vars[name].value == "" {
			r.problem(c, reason, vars[name].keys, "variable %s of subPathExpr has no value", name)
			whole = false
		}
	}
	if !whole {
		return "", false
	}
	if path.IsAbs(sub) || slices.Contains(strings.Split(sub, "/"), "..") {
		r.problem(c, Reason{Source: configmap.FromSubPath, Path: mount.MountPath}, keys, "subPathExpr would lead out of the volume")
		return "", false
	}
	return sub, !strings.Contains(sub, configmap.Opaque)
}
