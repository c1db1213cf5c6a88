// Package admission compares what the API server stored with what a write asked for. Admission policies and webhooks may change
// a write. Most of their changes do no harm to a rollout, such as another registry or an added sidecar.
package admission

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Field is a field that was stored with a value other than the requested one.
type Field struct {
	// Path is the path of the field as people write it, such as spec.template.spec.containers[app].image.
	Path string
	// Asked and Stored are the requested and the stored value as JSON, or empty for no value.
	Asked, Stored string
}

func (f Field) String() string {
	switch {
	case f.Stored == "":
		return f.Path + " was removed"
	case f.Asked == "":
		return fmt.Sprintf("%s was set to %s", f.Path, shortened(f.Stored))
	}
	return fmt.Sprintf("%s was stored as %s instead of %s", f.Path, shortened(f.Stored), shortened(f.Asked))
}

// mostShown is the greatest number of bytes of a value in a message.
const mostShown = 80

func shortened(text string) string {
	if len(text) <= mostShown {
		return text
	}
	return strings.ToValidUTF8(text[:mostShown], "") + "..."
}

// Missing returns the fields of asked that stored does not have with the same value. It leaves out further fields of stored,
// since the API server fills in defaults.
func Missing(path string, asked, stored any) []Field {
	return compare(path, plain(asked), plain(stored))
}

// SetBack returns the fields that asked changes from before, and that stored has with the value from before again. It leaves
// out a field with a third value: that change has taken place in another form.
func SetBack(path string, before, asked, stored any) []Field {
	return changes(path, plain(before), plain(asked), plain(stored))
}

// plain returns a value as decoded JSON, so that values of different types can be compared.
func plain(value any) any {
	text, err := json.Marshal(value)
	var decoded any
	if err != nil || json.Unmarshal(text, &decoded) != nil {
		return nil
	}
	return decoded
}

func compare(path string, asked, stored any) []Field {
	entries, is := entriesOf(asked)
	if fields, paired := compareInOrder(path, asked, stored); !is && paired {
		return fields
	}
	if !is {
		if reflect.DeepEqual(asked, stored) || stored == nil && isZero(asked) {
			return nil
		}
		return []Field{newField(path, asked, stored)}
	}
	has, _ := entriesOf(stored)
	var fields []Field
	for _, key := range keysOf(entries) {
		fields = append(fields, compare(joined(path, key), entries[key], has[key])...)
	}
	return fields
}

// compareInOrder compares lists of objects that no name distinguishes, such as a Service's ports. The API server sets defaults in
// them. It reports false for anything else, and for lists of different lengths.
func compareInOrder(path string, asked, stored any) ([]Field, bool) {
	wanted, _ := asked.([]any)
	has, _ := stored.([]any)
	if len(wanted) == 0 || len(wanted) != len(has) {
		return nil, false
	}
	var fields []Field
	for i := range wanted {
		if _, isObject := wanted[i].(map[string]any); !isObject {
			return nil, false
		}
		fields = append(fields, compare(fmt.Sprintf("%s[%d]", path, i), wanted[i], has[i])...)
	}
	return fields, true
}

// isZero reports whether the API server may leave out a value.
func isZero(value any) bool {
	return value == nil || reflect.ValueOf(value).IsZero()
}

func changes(path string, before, asked, stored any) []Field {
	if reflect.DeepEqual(before, asked) {
		return nil
	}
	old, oldIs := entriesOf(before)
	wanted, wantedIs := entriesOf(asked)
	if !oldIs && !wantedIs || before != nil && asked != nil && oldIs != wantedIs {
		if reflect.DeepEqual(stored, before) {
			return []Field{newField(path, asked, stored)}
		}
		return nil
	}
	has, _ := entriesOf(stored)
	keys := keysOf(old)
	for _, key := range keysOf(wanted) {
		if _, known := old[key]; !known {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var fields []Field
	for _, key := range keys {
		fields = append(fields, changes(joined(path, key), old[key], wanted[key], has[key])...)
	}
	return fields
}

// entriesOf returns the fields of a map, or the entries of a list of objects by their distinguishing names.
func entriesOf(value any) (map[string]any, bool) {
	switch of := value.(type) {
	case map[string]any:
		return of, true
	case []any:
		entries := map[string]any{}
		for _, item := range of {
			object, _ := item.(map[string]any)
			name := nameOf(object)
			if _, twice := entries[name]; name == "" || twice {
				return nil, false
			}
			entries[name] = object
		}
		return entries, len(entries) > 0
	}
	return nil, false
}

func nameOf(object map[string]any) string {
	for _, key := range []string{"name", "mountPath", "containerPort"} {
		if name, found := object[key]; found {
			return "[" + fmt.Sprint(name) + "]"
		}
	}
	return ""
}

func keysOf(entries map[string]any) []string {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func joined(path, key string) string {
	switch {
	case strings.HasPrefix(key, "["):
		return path + key
	case strings.ContainsAny(key, "./"):
		return path + "[" + key + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func newField(path string, asked, stored any) Field {
	return Field{Path: path, Asked: text(asked), Stored: text(stored)}
}

func text(value any) string {
	if value == nil {
		return ""
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}
