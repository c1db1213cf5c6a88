package app

import (
	"maps"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// record notes in a template which version its pods are rolled with, and has it reference the head by its own name.
func (p *pin) record(template map[string]any) {
	names := map[configmap.Object]bool{}
	configmap.Rename(template, func(object configmap.Object) (string, bool) {
		name, is := p.plain(object)
		if !is {
			name = object.Name
		}
		names[configmap.Object{Kind: object.Kind, Name: name}] = true
		return name, is
	})
	for head, version := range p.versions {
		if names[head] {
			annotations(template)[configmap.RecordKey(head)] = version.Object.Name
		}
	}
}

// plain is the head's own name in the place of a version's.
func (p *pin) plain(object configmap.Object) (string, bool) {
	head, is := p.older[object]
	return head.Name, is
}

// restoreNames has a template reference what it did before, and note that, whatever else was changed in it. It cannot where
// one name has taken the place of several.
func (p *pin) restoreNames(template, before map[string]any, inPlace bool) bool {
	fresh := p.name
	if inPlace {
		fresh = p.plain
	}
	was, certain := map[configmap.Object]string{}, true
	configmap.Rename(runtime.DeepCopyJSON(before), func(object configmap.Object) (string, bool) {
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
	configmap.Rename(template, func(object configmap.Object) (string, bool) {
		name, is := was[object]
		return name, is
	})
	noted := annotations(runtime.DeepCopyJSON(before))
	for head := range p.versions {
		key := configmap.RecordKey(head)
		if old, is := noted[key]; is {
			annotations(template)[key] = old
		} else if now := annotations(template); now[key] != nil {
			maps.DeleteFunc(now, func(k string, _ any) bool { return k == key })
		}
	}
	return true
}

// annotations are those of a template, which gets some if it has none.
func annotations(template map[string]any) map[string]any {
	return within(within(template, "metadata"), "annotations")
}

// within is the object in a field, which is made if it is not there.
func within(of map[string]any, field string) map[string]any {
	found, _ := of[field].(map[string]any)
	if found == nil {
		found = map[string]any{}
		of[field] = found
	}
	return found
}
