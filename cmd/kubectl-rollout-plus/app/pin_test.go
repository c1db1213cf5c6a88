package app

import (
	"reflect"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// environmentOf is a template whose container gets all keys of these ConfigMaps, with these annotations.
func environmentOf(annotations map[string]any, names ...string) map[string]any {
	var from []any
	for _, name := range names {
		from = append(from, map[string]any{"configMapRef": map[string]any{"name": name}})
	}
	template := map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "app", "envFrom": from}}}}
	if annotations != nil {
		template["metadata"] = map[string]any{"annotations": annotations}
	}
	return template
}

func TestRestoreNames(t *testing.T) {
	t.Parallel()
	object := func(name string) configmap.Object { return configmap.Object{Kind: configmap.ConfigMap, Name: name} }
	p := &pin{
		versions: map[configmap.Object]*configmap.Version{object("web"): {Object: object("web-new"), Head: object("web")}},
		older:    map[configmap.Object]configmap.Object{object("web-old"): object("web"), object("web-new"): object("web")},
	}
	note := configmap.RecordKey(object("web"))
	for name, test := range map[string]struct {
		before, now, want map[string]any
		inPlace           bool
	}{
		"the plain name": {
			before: environmentOf(nil, "web"), now: environmentOf(map[string]any{"theirs": "x"}, "web-new", "other"),
			want: environmentOf(map[string]any{"theirs": "x"}, "web", "other"),
		},
		"another version": {before: environmentOf(nil, "web-old"), now: environmentOf(map[string]any{}, "web-new"), want: environmentOf(map[string]any{}, "web-old")},
		"two names":       {before: environmentOf(nil, "web-old", "web"), now: environmentOf(nil, "web-new", "web-new")},
		"a note": {
			before: environmentOf(map[string]any{note: "web-old"}, "web"), now: environmentOf(map[string]any{note: "web-new"}, "web"),
			want: environmentOf(map[string]any{note: "web-old"}, "web"), inPlace: true,
		},
		"the first note": {
			before: environmentOf(nil, "web"), now: environmentOf(map[string]any{note: "web-new", "theirs": "x"}, "web"),
			want: environmentOf(map[string]any{"theirs": "x"}, "web"), inPlace: true,
		},
		"from a version to the plain name": {
			before: environmentOf(nil, "web-old"), now: environmentOf(map[string]any{note: "web-new"}, "web"),
			want: environmentOf(map[string]any{}, "web-old"), inPlace: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := p.restoreNames(test.now, test.before, test.inPlace); got != (test.want != nil) {
				t.Fatalf("got %t", got)
			}
			if test.want != nil && !reflect.DeepEqual(test.now, test.want) {
				t.Errorf("got  %v\nwant %v", test.now, test.want)
			}
		})
	}
}

func TestRecordHasATemplateReferenceThePlainName(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	old := configmap.Object{Kind: configmap.ConfigMap, Name: "web-old"}
	p := &pin{
		versions: map[configmap.Object]*configmap.Version{web: {Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web-new"}, Head: web}},
		older:    map[configmap.Object]configmap.Object{old: web},
	}
	template := environmentOf(nil, "web-old")
	p.record(template)
	want := environmentOf(map[string]any{configmap.RecordKey(web): "web-new"}, "web")
	if !reflect.DeepEqual(template, want) {
		t.Errorf("got  %v\nwant %v", template, want)
	}
	unrelated := environmentOf(nil, "other")
	p.record(unrelated)
	if !reflect.DeepEqual(unrelated, environmentOf(nil, "other")) {
		t.Errorf("got %v", unrelated)
	}
}
