package configmap

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// file is what a volume has at a path.
type file struct {
	content string
	source  Source
	keys    []string
	// once is what a running container never sees change.
	once bool
}

// lack is what a volume needs and does not find; its pod cannot start.
type lack struct {
	source Source
	key    string
	object Object
}

func (l lack) String() string {
	if l.key == "" {
		return l.object.String() + " does not exist"
	}
	return l.object.String() + " has no key " + l.key
}

// contents are the files of a volume.
type contents struct {
	files map[string]file
	lacks []lack
	// complete is false where a source that was not read may have further files.
	complete bool
	optional bool
}

// contents are the files of a volume as the kubelet writes them: items or all keys, and of two sources the later one.
func (r *renderer) contents(sources []projection) contents {
	all := contents{files: map[string]file{}, complete: true, optional: true}
	for _, p := range sources {
		if p.object == (Object{}) {
			for _, name := range p.paths {
				all.files[path.Clean(name)] = file{content: opaque, source: p.source}
			}
			continue
		}
		all.optional = all.optional && p.optional
		content, known := r.read(p.object)
		switch {
		case !known:
			all.unread(p)
		case content == nil && !p.optional:
			all.lacks = append(all.lacks, lack{p.source, "", p.object})
		case content != nil:
			all.add(p, content, r.touches(p.object), r.pinned(p.object))
		}
	}
	return all
}

// unread puts in the paths that are known of a source that was not read.
func (all *contents) unread(p projection) {
	all.complete = all.complete && len(p.items) > 0
	for _, item := range p.items {
		name := path.Clean(item.Path)
		// An optional one that may not be there lets through what sources before have at the path.
		if _, before := all.files[name]; !before || !p.optional {
			all.files[name] = file{content: opaque + p.object.String() + ":" + item.Key, source: p.source}
		}
	}
}

func (all *contents) add(p projection, content *Content, touched, once bool) {
	items := p.items
	if len(items) == 0 {
		for _, key := range content.Keys() {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		text, found := content.file(item.Key)
		if !found {
			if !p.optional {
				all.lacks = append(all.lacks, lack{p.source, item.Key, p.object})
			}
			continue
		}
		f := file{content: text, source: p.source, once: once}
		if touched {
			f.keys = []string{item.Key}
		}
		all.files[path.Clean(item.Path)] = f
	}
}

// mount is what a container sees of a volume. Files change in running containers; what comes by subPath does not.
func (r *renderer) mount(c container, mount *corev1.VolumeMount, vars variables) {
	sub, certain := mount.SubPath, true
	if mount.SubPathExpr != "" {
		if sub, certain = r.subPathExpr(c, mount, vars); sub == "" {
			return
		}
	}
	volume := volumeOf(r.spec, mount.Name)
	if volume == nil {
		return
	}
	sources := projections(volume)
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
		r.file(c, path.Join(mount.MountPath, name), mount, f, c.once || f.once)
	}
}

// subPath is a file or a folder of a volume. It is bound when the container starts and stays as it is.
func (r *renderer) subPath(c container, mount *corev1.VolumeMount, sources []projection, all contents, sub string, certain bool) {
	found := false
	for name, f := range all.files {
		rest, inside := within(sub, name)
		if certain && !inside {
			continue
		}
		found, f.source = true, FromSubPath
		if !certain { // it may be any of them
			rest = name
		}
		r.file(c, path.Join(mount.MountPath, rest), mount, f, true)
	}
	if !found && certain && all.complete && !all.optional {
		r.problem(c, Reason{Source: FromSubPath, Path: mount.MountPath}, r.keyOf(sources, sub),
			"no file for %s, a folder would take its place", mount.MountPath)
	}
}

// keys is the key that lacks, where it is one of the object in question.
func (l lack) keys(r *renderer) []string {
	if l.key == "" || !r.touches(l.object) {
		return nil
	}
	return []string{l.key}
}

// keyOf is the key that a file of this name would come from.
func (r *renderer) keyOf(sources []projection, name string) []string {
	for _, p := range sources {
		if r.touches(p.object) && len(p.items) == 0 {
			return []string{name}
		}
	}
	return nil
}

func (r *renderer) file(c container, at string, mount *corev1.VolumeMount, f file, once bool) {
	if covered(c, at, mount) {
		return
	}
	r.put(c, place{c.Name, "file", at}, fact{value: f.content, once: once, keys: f.keys, reason: Reason{Source: f.source, Path: at}})
}

// covered tells whether another mount lies over a file of this one.
func covered(c container, at string, mount *corev1.VolumeMount) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(other corev1.VolumeMount) bool {
		_, over := within(path.Clean(other.MountPath), at)
		_, deeper := within(path.Clean(mount.MountPath), path.Clean(other.MountPath))
		return over && deeper && path.Clean(other.MountPath) != path.Clean(mount.MountPath)
	})
}

// within tells whether a path is a folder, or lies in it, and where.
func within(folder, name string) (rest string, inside bool) {
	if name == folder || folder == "." {
		return strings.TrimPrefix(name, folder), true
	}
	rest, inside = strings.CutPrefix(name, strings.TrimSuffix(folder, "/")+"/")
	return rest, inside
}

// subPathExpr is the path within a volume that variables make. It is empty where they make none, which is told, and not
// certain where a value is not known here.
func (r *renderer) subPathExpr(c container, mount *corev1.VolumeMount, vars variables) (sub string, certain bool) {
	sub, used := vars.expand(mount.SubPathExpr)
	var keys []string
	whole := true
	for _, name := range used {
		reason := Reason{Source: FromSubPath, Variable: name, Path: mount.MountPath}
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
		r.problem(c, Reason{Source: FromSubPath, Path: mount.MountPath}, keys, "subPathExpr would lead out of the volume")
		return "", false
	}
	return sub, !strings.Contains(sub, opaque)
}
