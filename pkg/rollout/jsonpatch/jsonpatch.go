// Package jsonpatch builds JSON patches (RFC 6902), and reads those of others. It is pure.
package jsonpatch

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Operation is one operation of a JSON patch.
type Operation struct {
	Op   string `json:"op"`
	Path string `json:"path"`
	// Value is a json.RawMessage in an operation that was parsed, so that nothing of it is lost.
	Value any `json:"value,omitempty"`
}

// Add returns the operation that adds or replaces a field.
func Add(path string, value any) Operation { return Operation{Op: "add", Path: path, Value: value} }

// Test returns the operation that makes the API server refuse the patch if a field has another value.
func Test(path string, value any) Operation { return Operation{Op: "test", Path: path, Value: value} }

// Remove returns the operation that removes a field. The patch is invalid if there is no such field.
func Remove(path string) Operation { return Operation{Op: "remove", Path: path} }

// UnmarshalJSON parses an operation. It keeps the value as it stands.
func (o *Operation) UnmarshalJSON(body []byte) error {
	var parsed struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(body, &parsed); err != nil {
		return err
	}
	if o.Op, o.Path, o.Value = parsed.Op, parsed.Path, nil; len(parsed.Value) > 0 {
		o.Value = parsed.Value
	}
	return nil
}

// Decode reads the value of an operation that was parsed.
func (o *Operation) Decode(into any) error {
	raw, is := o.Value.(json.RawMessage)
	if !is {
		return fmt.Errorf("the operation %q of %s has no value", o.Op, o.Path)
	}
	return json.Unmarshal(raw, into)
}

// Escaped returns a key as a part of a path (RFC 6901).
func Escaped(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }
