package attach

import (
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestAddArguments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, container, after string }{
		"none so far":   {"{containers: [{name: app}, {name: side}]}", "", "{containers: [{name: app, args: [--color, $(COLOR)]}, {name: side}]}"},
		"after its own": {"{containers: [{name: app, args: [serve]}]}", "app", "{containers: [{name: app, args: [serve, --color, $(COLOR)]}]}"},
		"of another":    {"{containers: [{name: app}, {name: side}]}", "side", "{containers: [{name: app}, {name: side, args: [--color, $(COLOR)]}]}"},
	} {
		var before, after any
		if err := yaml.Unmarshal([]byte("{spec: "+c.before+"}"), &before); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte("{spec: "+c.after+"}"), &after); err != nil {
			t.Fatal(err)
		}
		template, _ := before.(map[string]any)
		if err := AddArguments(template, c.container, []string{"--color", "$(COLOR)"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, _ := yaml.Marshal(template)
		if want, _ := yaml.Marshal(after); string(got) != string(want) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if err := AddArguments(map[string]any{}, "none", []string{"x"}); err == nil {
		t.Error("a container that is not there is given arguments")
	}
}

func TestUnset(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string][]string{
		"{containers: [{name: app, env: [{name: B, value: $(A)/$(B)}, {name: C, value: $(B)}]}]}": {`$(A) in container "app"`, `$(B) in container "app"`},
		"{containers: [{name: app, args: [$(A), x$(B)y], env: [{name: A, value: a}]}]}":           {`$(B) in container "app"`},
		"{containers: [{name: app, command: [$(A)], args: [$(A) $$(B)]}]}":                        {`$(A) in container "app"`},
		"{containers: [{name: app, args: [$(A)], envFrom: [{configMapRef: {name: web}}]}]}":       nil,
		"{containers: [{name: app, args: [serve]}], initContainers: [{name: i, args: [$(A)]}]}":   {`$(A) in container "i"`},
	} {
		var template map[string]any
		if err := yaml.Unmarshal([]byte("{spec: "+spec+"}"), &template); err != nil {
			t.Fatal(err)
		}
		if got, paths := Unset(template); !slices.Equal(got, want) || len(paths) > 0 {
			t.Errorf("%s: %q, paths %q", spec, got, paths)
		}
	}
	var template map[string]any
	if err := yaml.Unmarshal([]byte("{spec: {containers: [{name: app, env: [{name: A, value: a}], volumeMounts: [{subPathExpr: $(A)/$(B)}]}]}}"), &template); err != nil {
		t.Fatal(err)
	}
	if written, paths := Unset(template); len(written) > 0 || !slices.Equal(paths, []string{`$(B) in container "app"`}) {
		t.Errorf("written %q, paths %q", written, paths)
	}
}
