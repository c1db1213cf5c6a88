package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// editable is what people edit. Of a ConfigMap, what is text is in data; all else is base64.
type editable struct {
	Data       editableTexts     `json:"data"`
	BinaryData map[string][]byte `json:"binaryData,omitempty"`
}

// editableSecret is a Secret, whose values may be written as text too.
type editableSecret struct {
	Data       map[string][]byte `json:"data"`
	StringData editableTexts     `json:"stringData,omitempty"`
}

// editableTexts are values that have to be written as text: a number, a date or yes would be told another way than it is
// written, as 1.10 is 1.1.
type editableTexts map[string]string

// noTextError is a value that YAML does not take for text. It is not told, since it may be that of a Secret.
type noTextError struct{ key string }

func (e *noTextError) Error() string {
	return fmt.Sprintf("the value of key %q is no text to YAML; write it in quotes", e.key)
}

// UnmarshalJSON refuses what is no text.
func (t *editableTexts) UnmarshalJSON(text []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*t = editableTexts{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !bytes.HasPrefix(values[key], []byte(`"`)) {
			return &noTextError{key: key}
		}
		var value string
		if err := json.Unmarshal(values[key], &value); err != nil {
			return err
		}
		(*t)[key] = value
	}
	return nil
}

func editableText(object configmap.Object, content *configmap.Content) ([]byte, error) {
	var all any = editable{Data: content.Text, BinaryData: content.Binary}
	if object.Kind == configmap.Secret {
		all = editableSecret{Data: content.SecretData()}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(escaped(text))
}

// escaped is JSON in which nothing is left as it is that has a meaning of its own to YAML, as a line break of ISO 8859, or
// that YAML does not take.
func escaped(text []byte) []byte {
	var all []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r > unicode.MaxASCII && !unicode.IsPrint(r) && r <= 0xffff || r == 0x7f {
			all = fmt.Appendf(all, `\u%04x`, r)
		} else {
			all = append(all, text[:size]...)
		}
		text = text[size:]
	}
	return all
}

func parseEdited(object configmap.Object, before *configmap.Content, text []byte) (*configmap.Content, error) {
	if object.Kind == configmap.Secret {
		var all editableSecret
		if err := unmarshalEdited(text, &all); err != nil {
			return nil, withoutValues(err)
		}
		want := &configmap.Content{Text: map[string]string{}, Type: before.Type}
		for key, value := range all.Data {
			want.Text[key] = string(value)
		}
		maps.Copy(want.Text, all.StringData)
		return want, configmap.CheckKeys(object, want)
	}
	var all editable
	if err := unmarshalEdited(text, &all); err != nil {
		return nil, err
	}
	want := &configmap.Content{Text: all.Data, Binary: all.BinaryData}
	return want, configmap.CheckKeys(object, want)
}

// unmarshalEdited reads what was saved. Unlike yaml.Unmarshal, it makes no text of what is none.
func unmarshalEdited(text []byte, into any) error {
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	return yaml.DisallowUnknownFields(json.NewDecoder(bytes.NewReader(converted))).Decode(into)
}
