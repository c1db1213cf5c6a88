package configmap

import (
	"strings"
	"testing"
)

func TestCheckKeys(t *testing.T) {
	t.Parallel()
	web, login := Object{ConfigMap, "web"}, Object{Secret, "login"}
	raw := "a\xffb"
	for name, test := range map[string]struct {
		object  Object
		content *Content
		want    string
	}{
		"text":                    {web, &Content{Text: map[string]string{"a": "\u00fc\x00"}}, ""},
		"nothing":                 {web, &Content{}, ""},
		"no key":                  {web, &Content{Text: map[string]string{"a b": ""}}, `"a b" is not a valid key name`},
		"in both":                 {web, &Content{Text: map[string]string{"a": ""}, Binary: map[string][]byte{"a": nil}}, `key "a" is in data and in binaryData`},
		"no text, binary":         {web, &Content{Binary: map[string][]byte{"a": []byte(raw)}}, ""},
		"no text, of a Secret":    {login, &Content{Text: map[string]string{"a": raw}}, ""},
		"no text, of a ConfigMap": {web, &Content{Text: map[string]string{"a": raw}}, `the value of key "a" is not UTF-8`},
	} {
		err := CheckKeys(test.object, test.content)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
