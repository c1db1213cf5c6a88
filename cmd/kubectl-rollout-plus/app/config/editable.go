package config

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

// editable is the form in which people edit a ConfigMap: text is in data, everything else is base64.
type editable struct {
	Data       editableTexts     `json:"data"`
	BinaryData map[string][]byte `json:"binaryData,omitempty"`
}

// editableSecret is the form in which people edit a Secret. New values may also be written as text.
type editableSecret struct {
	Data       map[string][]byte `json:"data"`
	StringData editableTexts     `json:"stringData,omitempty"`
}

// editableTexts are values that must be written as text. YAML would read a number, a date or yes as something other than
// the text that was typed: 1.10 becomes 1.1.
type editableTexts map[string]string

// noTextError reports a value that is no string in YAML. It does not contain the value, which may belong to a Secret.
type noTextError struct{ key string }

func (e *noTextError) Error() string {
	return fmt.Sprintf("the value of key %q is no text to YAML; write it in quotes", e.key)
}

// UnmarshalJSON reads the values and refuses those that are no strings.
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

// escaped escapes characters of a JSON text that YAML interprets or refuses, such as the line break of ISO 8859.
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

// unmarshalEdited reads what was saved. Unlike yaml.Unmarshal, it does not convert other values to strings.
func unmarshalEdited(text []byte, into any) error {
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	return yaml.DisallowUnknownFields(json.NewDecoder(bytes.NewReader(converted))).Decode(into)
}
