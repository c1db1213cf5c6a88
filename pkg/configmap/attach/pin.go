package attach

import (
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Pin replaces heads by versions in pod templates.
type Pin struct {
	// Contents holds the content that each head is to have. It is nil for a head that does not exist.
	Contents map[configmap.Object]*configmap.Content
	// Versions holds the versions with these contents, once they are written or tried.
	Versions map[configmap.Object]*configmap.Version
	// Older maps other versions of the heads to their head. They are replaced too, so that a template uses only one version of
	// a head.
	Older map[configmap.Object]configmap.Object
	// Left holds, for each head, revisions that own the version although their templates do not name it.
	Left map[configmap.Object][]metav1.OwnerReference
	// Claimed is the latest time at which the versions were claimed, by the cluster's clock.
	Claimed time.Time
}

// PlainNames holds the heads whose plain names a template keeps, with the reason. The template references versions of all
// others.
type PlainNames map[configmap.Object]string

// Put makes a template reference the versions of heads. If the template keeps a head's plain name, Put notes the version
// that the pods are rolled out with. It also notes that a head does not exist. It removes the notes of all other heads.
func (p *Pin) Put(template map[string]any, keeps PlainNames) {
	name, named := p.naming(keeps), map[configmap.Object]bool{}
	Rename(template, func(object configmap.Object) (string, bool) {
		fresh, is := name(object)
		if is {
			object.Name = fresh
		}
		named[object] = true
		return fresh, is
	})
	for _, head := range p.heads() {
		switch version := p.Versions[head]; {
		case version == nil && named[head]:
			annotations(template)[configmap.RecordKey(head)] = configmap.Absent
		case version != nil && keeps[head] != "" && named[head]:
			annotations(template)[configmap.RecordKey(head)] = version.Object.Name
		default:
			Forget(template, head)
		}
	}
}

// heads returns the heads that have a version, and those that do not exist.
func (p *Pin) heads() []configmap.Object {
	heads := slices.Collect(maps.Keys(p.Versions))
	for head, content := range p.Contents {
		if content == nil {
			heads = append(heads, head)
		}
	}
	return heads
}

// naming returns a function. For a head or a version of one, it returns the name that a template is to reference.
func (p *Pin) naming(keeps PlainNames) func(configmap.Object) (string, bool) {
	return func(object configmap.Object) (string, bool) {
		if head, is := p.Older[object]; is {
			object = head
		}
		version := p.Versions[object]
		switch {
		case version == nil:
			return "", false
		case keeps[object] != "":
			return object.Name, true
		}
		return version.Object.Name, true
	}
}

// RestoreNames makes a template reference and note what it did before. It keeps all other changes. It returns false if that
// is impossible because one name has replaced several.
func (p *Pin) RestoreNames(template, before map[string]any, keeps PlainNames) bool {
	fresh := p.naming(keeps)
	was, certain := map[configmap.Object]string{}, true
	Rename(runtime.DeepCopyJSON(before), func(object configmap.Object) (string, bool) {
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
	Rename(template, func(object configmap.Object) (string, bool) {
		name, is := was[object]
		return name, is
	})
	noted := annotations(runtime.DeepCopyJSON(before))
	for _, head := range p.heads() {
		key := configmap.RecordKey(head)
		if old, is := noted[key]; is {
			annotations(template)[key] = old
		} else {
			Forget(template, head)
		}
	}
	return true
}

// Forget removes the note about a head from a template.
func Forget(template map[string]any, head configmap.Object) {
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

// Claims returns the versions, with the time when they were claimed.
func (p *Pin) Claims() map[configmap.Object]time.Time {
	all := map[configmap.Object]time.Time{}
	for _, version := range p.Versions {
		all[version.Object] = p.Claimed
	}
	return all
}

// Lines returns a line for each plain name that a workload keeps. It leaves out the object but, which is reported elsewhere.
func (p PlainNames) Lines(name string, but configmap.Object) []string {
	var told []string
	for head, why := range p {
		if head != but {
			told = append(told, fmt.Sprintf("%s keeps the plain name of %s (%s)", name, head, why))
		}
	}
	slices.Sort(told)
	return told
}
