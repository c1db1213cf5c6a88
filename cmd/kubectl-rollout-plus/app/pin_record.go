package app

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
)

// put makes a template reference the versions of heads. If the template keeps a head's plain name, put notes the version
// that the pods are rolled out with. It also notes that a head does not exist. It removes the notes of all other heads.
func (p *pin) put(template map[string]any, keeps plainNames) {
	name, named := p.naming(keeps), map[configmap.Object]bool{}
	attach.Rename(template, func(object configmap.Object) (string, bool) {
		fresh, is := name(object)
		if is {
			object.Name = fresh
		}
		named[object] = true
		return fresh, is
	})
	for _, head := range p.heads() {
		switch version := p.versions[head]; {
		case version == nil && named[head]:
			annotations(template)[configmap.RecordKey(head)] = configmap.Absent
		case version != nil && keeps[head] != "" && named[head]:
			annotations(template)[configmap.RecordKey(head)] = version.Object.Name
		default:
			forget(template, head)
		}
	}
}

// heads returns the heads that have a version, and those that do not exist.
func (p *pin) heads() []configmap.Object {
	heads := slices.Collect(maps.Keys(p.versions))
	for head, content := range p.contents {
		if content == nil {
			heads = append(heads, head)
		}
	}
	return heads
}

// naming returns a function. For a head or a version of one, it returns the name that a template is to reference.
func (p *pin) naming(keeps plainNames) func(configmap.Object) (string, bool) {
	return func(object configmap.Object) (string, bool) {
		if head, is := p.older[object]; is {
			object = head
		}
		version := p.versions[object]
		switch {
		case version == nil:
			return "", false
		case keeps[object] != "":
			return object.Name, true
		}
		return version.Object.Name, true
	}
}

// restoreNames makes a template reference and note what it did before. It keeps all other changes. It returns false if that
// is impossible because one name has replaced several.
func (p *pin) restoreNames(template, before map[string]any, keeps plainNames) bool {
	fresh := p.naming(keeps)
	was, certain := map[configmap.Object]string{}, true
	attach.Rename(runtime.DeepCopyJSON(before), func(object configmap.Object) (string, bool) {
		if name, is := fresh(object); is {
			now := configmap.Object{Kind: object.Kind, Name: name}
			old, known := was[now]
			certain = certain && (!known || old == object.Name)
			was[now] = object.Name
		}
		return "", false
	})
	if !certain {
		return false
	}
	attach.Rename(template, func(object configmap.Object) (string, bool) {
		name, is := was[object]
		return name, is
	})
	noted := annotations(runtime.DeepCopyJSON(before))
	for _, head := range p.heads() {
		key := configmap.RecordKey(head)
		if old, is := noted[key]; is {
			annotations(template)[key] = old
		} else {
			forget(template, head)
		}
	}
	return true
}

// forget removes the note about a head from a template.
func forget(template map[string]any, head configmap.Object) {
	metadata, _ := template["metadata"].(map[string]any)
	noted, _ := metadata["annotations"].(map[string]any)
	if key := configmap.RecordKey(head); noted[key] != nil {
		if delete(noted, key); len(noted) == 0 {
			delete(metadata, "annotations") // as the API server stores it
		}
	}
}

// annotations returns the annotations of a template. It adds an empty map if there are none.
func annotations(template map[string]any) map[string]any {
	return within(within(template, "metadata"), "annotations")
}

// within returns the object in a field. It adds an empty object if there is none.
func within(of map[string]any, field string) map[string]any {
	found, _ := of[field].(map[string]any)
	if found == nil {
		found = map[string]any{}
		of[field] = found
	}
	return found
}
