package attach

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
	p := &Pin{
		Versions: map[configmap.Object]*configmap.Version{object("web"): {Object: object("web-new"), Head: object("web")}},
		Older:    map[configmap.Object]configmap.Object{object("web-old"): object("web"), object("web-new"): object("web")},
	}
	note, keeps := configmap.RecordKey(object("web")), PlainNames{object("web"): "--in-place"}
	for name, test := range map[string]struct {
		before, now, want map[string]any
		keeps             PlainNames
	}{
		"the plain name": {
			before: environmentOf(nil, "web"), now: environmentOf(map[string]any{"theirs": "x"}, "web-new", "other"),
			want: environmentOf(map[string]any{"theirs": "x"}, "web", "other"),
		},
		"another version": {before: environmentOf(nil, "web-old"), now: environmentOf(map[string]any{}, "web-new"), want: environmentOf(map[string]any{}, "web-old")},
		"two names":       {before: environmentOf(nil, "web-old", "web"), now: environmentOf(nil, "web-new", "web-new")},
		"a note": {
			before: environmentOf(map[string]any{note: "web-old"}, "web"), now: environmentOf(map[string]any{note: "web-new"}, "web"),
			want: environmentOf(map[string]any{note: "web-old"}, "web"), keeps: keeps,
		},
		"the first note": {
			before: environmentOf(nil, "web"), now: environmentOf(map[string]any{note: "web-new", "theirs": "x"}, "web"),
			want: environmentOf(map[string]any{"theirs": "x"}, "web"), keeps: keeps,
		},
		"a note that was taken out": {
			before: environmentOf(map[string]any{note: "web-old"}, "web"), now: environmentOf(nil, "web-new"),
			want: environmentOf(map[string]any{note: "web-old"}, "web"),
		},
		"two names in place": {before: environmentOf(nil, "web-old", "web"), now: environmentOf(nil, "web", "web"), keeps: keeps},
		"from a version to the plain name": {
			before: environmentOf(nil, "web-old"), now: environmentOf(map[string]any{note: "web-new", "theirs": "x"}, "web"),
			want: environmentOf(map[string]any{"theirs": "x"}, "web-old"), keeps: keeps,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := p.RestoreNames(test.now, test.before, test.keeps); got != (test.want != nil) {
				t.Fatalf("got %t", got)
			}
			if test.want != nil && !reflect.DeepEqual(test.now, test.want) {
				t.Errorf("got  %v\nwant %v", test.now, test.want)
			}
		})
	}
}

// Of several heads each has its own mode. What a template notes is about plain names alone.
func TestPut(t *testing.T) {
	t.Parallel()
	object := func(name string) configmap.Object { return configmap.Object{Kind: configmap.ConfigMap, Name: name} }
	p := &Pin{
		Versions: map[configmap.Object]*configmap.Version{
			object("web"): {Object: object("web-new"), Head: object("web")}, object("app"): {Object: object("app-new"), Head: object("app")},
		},
		Older: map[configmap.Object]configmap.Object{object("web-old"): object("web"), object("app-old"): object("app")},
	}
	web, app := configmap.RecordKey(object("web")), configmap.RecordKey(object("app"))
	for name, test := range map[string]struct {
		now, want map[string]any
		keeps     []string
	}{
		"a version":           {now: environmentOf(nil, "web-old"), want: environmentOf(nil, "web-new")},
		"the plain name":      {now: environmentOf(nil, "web"), want: environmentOf(nil, "web-new")},
		"what is not its own": {now: environmentOf(nil, "other"), want: environmentOf(nil, "other"), keeps: []string{"web", "app"}},
		"a version in place": {
			now: environmentOf(nil, "web-old"), want: environmentOf(map[string]any{web: "web-new"}, "web"), keeps: []string{"web"},
		},
		"from in place": {
			now: environmentOf(map[string]any{web: "web-old", "theirs": "x"}, "web"), want: environmentOf(map[string]any{"theirs": "x"}, "web-new"),
		},
		"two, one of them in place": {
			now: environmentOf(nil, "web-old", "app"), want: environmentOf(map[string]any{app: "app-new"}, "web-new", "app"), keeps: []string{"app"},
		},
		"two, and the other": {
			now:  environmentOf(map[string]any{app: "app-old", web: "web-old"}, "web", "app"),
			want: environmentOf(map[string]any{web: "web-new"}, "web", "app-new"), keeps: []string{"web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keeps := PlainNames{}
			for _, head := range test.keeps {
				keeps[object(head)] = "it lives elsewhere"
			}
			if p.Put(test.now, keeps); !reflect.DeepEqual(test.now, test.want) {
				t.Errorf("got  %v\nwant %v", test.now, test.want)
			}
		})
	}
}

// Nothing is left of the annotations where the note was the last of them.
func TestForget(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	for _, template := range []map[string]any{
		{}, {"metadata": map[string]any{}}, environmentOf(map[string]any{configmap.RecordKey(web): "web-old"}, "web"),
	} {
		Forget(template, web)
		if metadata, _ := template["metadata"].(map[string]any); len(metadata) != 0 {
			t.Errorf("there is %v", metadata)
		}
	}
}
