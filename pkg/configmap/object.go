package configmap

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kind is the kind of an object that holds configuration.
type Kind string

// The kinds that a pod template can take configuration from.
const (
	ConfigMap Kind = "ConfigMap"
	Secret    Kind = "Secret"
)

// Resource returns the resource name of the kind in the API, such as configmaps.
func (k Kind) Resource() string { return strings.ToLower(string(k)) + "s" }

// Object names a ConfigMap or a Secret. Templates reference those of their own namespace only.
type Object struct {
	Kind Kind
	Name string
}

// String returns the object as people type it, such as configmap/web.
func (o Object) String() string { return strings.ToLower(string(o.Kind)) + "/" + o.Name }

// Compare orders objects by kind and name.
func (o Object) Compare(other Object) int {
	return cmp.Or(cmp.Compare(o.Kind, other.Kind), cmp.Compare(o.Name, other.Name))
}

// Content is what an object holds. Text can become environment variables: it is a ConfigMap's data, or all data of a Secret.
// Binary can only become files.
type Content struct {
	Text   map[string]string
	Binary map[string][]byte
	// Type is the type of a Secret.
	Type corev1.SecretType
}

// ContentOfConfigMap returns what a ConfigMap holds.
func ContentOfConfigMap(object *corev1.ConfigMap) *Content {
	return &Content{Text: object.Data, Binary: object.BinaryData}
}

// ContentOfSecret returns what a Secret holds.
func ContentOfSecret(object *corev1.Secret) *Content {
	content := &Content{Text: make(map[string]string, len(object.Data)), Type: object.Type}
	for key, value := range object.Data {
		content.Text[key] = string(value)
	}
	return content
}

// ConfigMap returns a ConfigMap with the content.
func (c *Content) ConfigMap(meta metav1.ObjectMeta, immutable *bool) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: meta, Immutable: immutable, Data: c.Text, BinaryData: c.Binary}
}

// Secret returns a Secret with the content.
func (c *Content) Secret(meta metav1.ObjectMeta, immutable *bool) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: meta, Immutable: immutable, Type: c.Type, Data: c.SecretData()}
}

// SecretData returns the content in the form of a Secret's data field.
func (c *Content) SecretData() map[string][]byte {
	data := make(map[string][]byte, len(c.Text))
	for key, value := range c.Text {
		data[key] = []byte(value)
	}
	return data
}

// Same reports whether two contents are the same. A nil content is the same only as another nil.
func Same(a, b *Content) bool { return a == b || a != nil && b != nil && a.Equal(b) }

// File returns what a file for this key contains.
func (c *Content) File(key string) (string, bool) {
	if text, found := c.Text[key]; found {
		return text, true
	}
	binary, found := c.Binary[key]
	return string(binary), found
}

// Keys returns all keys, sorted.
func (c *Content) Keys() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for key := range maps.Keys(c.Text) {
			if !yield(key) {
				return
			}
		}
		for key := range maps.Keys(c.Binary) {
			if !yield(key) {
				return
			}
		}
	})
}

// ChangedKeys returns the keys whose value differs, or that only one of the two has. A key that moves between text and binary
// data changes, since only text can become an environment variable. A nil content has no keys.
func ChangedKeys(before, after *Content) []string {
	before, after = cmp.Or(before, &Content{}), cmp.Or(after, &Content{})
	var changed []string
	for _, key := range slices.Compact(slices.Sorted(slices.Values(append(before.Keys(), after.Keys()...)))) {
		oldText, wasText := before.Text[key]
		newText, isText := after.Text[key]
		oldBinary, wasBinary := before.Binary[key]
		newBinary, isBinary := after.Binary[key]
		if wasText != isText || wasBinary != isBinary || oldText != newText || !bytes.Equal(oldBinary, newBinary) {
			changed = append(changed, key)
		}
	}
	return changed
}

// Opaque begins a placeholder for a value that is not known here, such as a field of the pod. The placeholder is the same
// before and after. No file or variable of a template can contain it.
const Opaque = "\x00"

// Every returns the content with another value under every key. It stands for a change that nobody has proposed yet.
func (c *Content) Every() *Content {
	every := &Content{Text: make(map[string]string, len(c.Text)), Binary: make(map[string][]byte, len(c.Binary)), Type: c.Type}
	for key, value := range c.Text {
		every.Text[key] = value + Opaque + "changed"
	}
	for key, value := range c.Binary {
		every.Binary[key] = append(bytes.Clone(value), Opaque+"changed"...)
	}
	return every
}

// With returns a copy of the content with some keys set and others removed.
func (c *Content) With(put *Content, removed []string) *Content {
	with := &Content{Text: map[string]string{}, Binary: map[string][]byte{}, Type: c.Type}
	maps.Copy(with.Text, c.Text)
	maps.Copy(with.Binary, c.Binary)
	for _, key := range slices.Concat(removed, put.Keys()) {
		delete(with.Text, key)
		delete(with.Binary, key)
	}
	maps.Copy(with.Text, put.Text)
	maps.Copy(with.Binary, put.Binary)
	return with
}

// Has reports whether the content has a key.
func (c *Content) Has(key string) bool {
	_, found := c.File(key)
	return found
}
