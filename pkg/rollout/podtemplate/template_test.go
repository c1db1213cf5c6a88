package podtemplate

import (
	"encoding/json"
	"strings"
	"testing"
)

// twoContainers is a template with a field that no client knows yet.
const twoContainers = `{"spec":{"future":{"kept":true},"containers":[` +
	`{"name":"app","image":"web:1","env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)"},{"name":"C","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]},` +
	`{"name":"sidecar","image":"log:1"}],"initContainers":[{"name":"setup","image":"init:1"}]}}`

func rawOf(t *testing.T, text string) Template {
	t.Helper()
	var template Template
	if err := json.Unmarshal([]byte(text), &template); err != nil {
		t.Fatal(err)
	}
	return template
}

func TestTemplateEdits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		template string
		edit     func(Template) error
		// from and to are what the edit replaces in the template's text.
		from, to string
		err      string
	}{
		"image of one":       {twoContainers, image("sidecar", "log:2"), `log:1`, `log:2`, ""},
		"image of an init":   {twoContainers, image("setup", "init:2"), `init:1`, `init:2`, ""},
		"image of all":       {`{"spec":{"containers":[{"image":"a","name":"x"},{"image":"a","name":"y"}]}}`, image("*", "b"), `"a"`, `"b"`, ""},
		"image of the only":  {`{"spec":{"containers":[{"image":"a","name":"x"}]}}`, image("", "b"), `"a"`, `"b"`, ""},
		"image of which":     {twoContainers, image("", "b"), "", "", `the pod template has 2 containers (app, sidecar); name the one that is to run "b", as in --image app=b`},
		"image of nobody":    {twoContainers, image("nobody", "b"), "", "", `there is no container "nobody" in the pod template; it has app, sidecar, setup`},
		"variable set":       {twoContainers, env("app", "A", "2", false), `"value":"1"`, `"value":"2"`, ""},
		"variable emptied":   {twoContainers, env("app", "A", "", false), `{"name":"A","value":"1"}`, `{"name":"A"}`, ""},
		"variable was a ref": {twoContainers, env("app", "C", "x", false), `"valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}`, `"value":"x"`, ""},
		"variable removed":   {twoContainers, env("app", "B", "", true), `,{"name":"B","value":"$(A)"}`, ``, ""},
		"variable added":     {twoContainers, env("app", "D", "4", false), `"metadata.name"}}}]`, `"metadata.name"}}},{"name":"D","value":"4"}]`, ""},
		"variable to nobody": {twoContainers, env("nobody", "A", "1", false), "", "", `there is no container "nobody" in the pod template; it has app, sidecar, setup`},
		"the last removed":   {`{"spec":{"containers":[{"env":[{"name":"A"}],"name":"x"}]}}`, env("", "A", "", true), `"env":[{"name":"A"}],`, ``, ""},
		"one twice":          {`{"spec":{"containers":[{"env":[{"name":"A"},{"name":"B"},{"name":"A"}],"name":"x"}]}}`, env("", "A", "1", false), `[{"name":"A"},{"name":"B"},{"name":"A"}]`, `[{"name":"A","value":"1"},{"name":"B"}]`, ""},
		"none to remove":     {`{"spec":{"containers":[{"name":"x"}]}}`, env("", "A", "", true), `"x"`, `"x"`, ""},
		"first of all":       {`{"spec":{"containers":[{"name":"x"}]}}`, env("", "A", "1", false), `{"name":"x"}`, `{"env":[{"name":"A","value":"1"}],"name":"x"}`, ""},
	} {
		template := rawOf(t, test.template)
		if err := test.edit(template); messageOf(err) != test.err {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := json.Marshal(template)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(rawOf(t, strings.ReplaceAll(test.template, test.from, test.to)))
		if test.from == "" {
			want, err = json.Marshal(rawOf(t, test.template))
		}
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: got  %s\nwant %s (%v)", name, got, want, err)
		}
	}
}

func image(container, name string) func(Template) error {
	return func(t Template) error { return t.SetImage(ImageChange{Container: container, Image: name}) }
}

func env(container, name, value string, remove bool) func(Template) error {
	return func(t Template) error {
		return t.SetEnv(EnvChange{Container: container, Name: name, Value: value, Remove: remove})
	}
}

func TestTypedTemplate(t *testing.T) {
	t.Parallel()
	typed, err := rawOf(t, twoContainers).Typed()
	if err != nil || len(typed.Spec.Containers) != 2 || typed.Spec.Containers[0].Env[1].Value != "$(A)" {
		t.Errorf("%+v, %v", typed, err)
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
