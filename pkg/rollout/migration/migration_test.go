package migration

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"pgregory.net/rapid"
)

const clientSide = "kubectl-client-side-apply"

// server is the API server's own bookkeeping of fields, without its defaults.
type server struct {
	managedfieldstest.TestFieldManager
	t *rapid.T
}

func newServer(t *rapid.T) *server {
	return &server{managedfieldstest.NewTestFieldManager(applyconfigurations.NewTypeConverter(scheme.Scheme), appsv1.SchemeGroupVersion.WithKind("Deployment")), t}
}

func (s *server) live() *unstructured.Unstructured {
	object, is := s.Live().(*unstructured.Unstructured)
	if !is {
		s.t.Fatalf("the live object is a %T", s.Live())
	}
	return object
}

func (s *server) done(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

// migrate is what the client writes.
func (s *server) migrate(m Migration) {
	object := s.live()
	entries, err := m.Entries(object.GetManagedFields())
	s.done(err)
	object.SetManagedFields(entries)
	s.done(s.Update(object, "ci"))
}

// some draws a part of a list.
func some[T any](t *rapid.T, label string, all ...T) []T {
	var drawn []T
	for i, item := range all {
		if rapid.Bool().Draw(t, fmt.Sprint(label, i)) {
			drawn = append(drawn, item)
		}
	}
	return drawn
}

func named(t *rapid.T, label string, more func(item map[string]any), names ...string) []any {
	var items []any
	for _, name := range some(t, label, names...) {
		item := map[string]any{"name": name}
		more(item)
		items = append(items, item)
	}
	return items
}

// set sets a field where there is anything to set.
func set(object map[string]any, field string, items []any) {
	if len(items) > 0 {
		object[field] = items
	}
}

func labels(t *rapid.T, label string) map[string]any {
	drawn := map[string]any{}
	for _, key := range some(t, label, "a", "b", "example.com/c") {
		drawn[key] = rapid.SampledFrom([]string{"1", "2"}).Draw(t, label+key)
	}
	return drawn
}

func container(t *rapid.T, item map[string]any) {
	name := fmt.Sprint(item["name"])
	item["image"] = rapid.SampledFrom([]string{"web:v1", "web:v2"}).Draw(t, name+"image")
	set(item, "command", some[any](t, name+"command", "a", "b"))
	set(item, "env", named(t, name+"env", func(item map[string]any) {
		if rapid.Bool().Draw(t, "value") {
			item["value"] = "1"
		} else {
			item["valueFrom"] = map[string]any{"fieldRef": map[string]any{"apiVersion": "v1", "fieldPath": "metadata.name"}}
		}
	}, "A", "B", "C"))
	set(item, "ports", some[any](t, name+"ports",
		map[string]any{"containerPort": int64(80), "protocol": "TCP"}, map[string]any{"containerPort": int64(80), "protocol": "UDP"}))
	switch rapid.IntRange(0, 2).Draw(t, name+"probe") {
	case 1:
		item["readinessProbe"] = map[string]any{"httpGet": map[string]any{"path": "/", "port": int64(80)}}
	case 2:
		item["readinessProbe"] = map[string]any{"tcpSocket": map[string]any{"port": int64(80)}, "periodSeconds": int64(3)}
	}
}

// deployment draws a manifest.
func deployment(t *rapid.T) *unstructured.Unstructured {
	pod := map[string]any{"containers": append(named(t, "containers", func(item map[string]any) { container(t, item) }, "side", "third"),
		map[string]any{"name": "app", "image": "web:v1"})}
	set(pod, "initContainers", named(t, "init", func(item map[string]any) { item["image"] = "init:v1" }, "first", "second"))
	set(pod, "volumes", named(t, "volumes", func(item map[string]any) {
		item[rapid.SampledFrom([]string{"emptyDir", "configMap"}).Draw(t, "volume")] = map[string]any{}
	}, "data", "cache"))
	if selector := labels(t, "nodes"); len(selector) > 0 {
		pod["nodeSelector"] = selector
	}
	set(pod, "tolerations", some[any](t, "tolerations", map[string]any{"key": "a"}, map[string]any{"key": "b"}))
	spec := map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": labels(t, "pod")}, "spec": pod}}
	if rapid.Bool().Draw(t, "replicas") {
		spec["replicas"] = rapid.Int64Range(1, 3).Draw(t, "count")
	}
	if rapid.Bool().Draw(t, "strategy") {
		spec["strategy"] = map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": "25%"}}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec,
		"metadata": map[string]any{"name": "web", "labels": labels(t, "labels"), "annotations": labels(t, "annotations")},
	}}
}

// withDefaults fills in what the API server would: whoever creates an object owns it.
func withDefaults(object *unstructured.Unstructured) *unstructured.Unstructured {
	object = object.DeepCopy()
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
	for _, item := range containers {
		if fields, is := item.(map[string]any); is {
			fields["terminationMessagePath"] = "/dev/termination-log"
			if probe, is := fields["readinessProbe"].(map[string]any); is {
				probe["timeoutSeconds"] = int64(1)
			}
		}
	}
	_ = unstructured.SetNestedSlice(object.Object, containers, "spec", "template", "spec", "containers")
	_ = unstructured.SetNestedField(object.Object, int64(600), "spec", "progressDeadlineSeconds")
	return object
}

// edited is the object after another client has changed it.
func edited(t *rapid.T, object *unstructured.Unstructured) *unstructured.Unstructured {
	object = object.DeepCopy()
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
	if app, is := containers[len(containers)-1].(map[string]any); is {
		app["env"] = []any{map[string]any{"name": "A", "value": "edited"}}
	}
	_ = unstructured.SetNestedSlice(object.Object, containers, "spec", "template", "spec", "containers")
	for key := range labels(t, "edited") {
		_ = unstructured.SetNestedField(object.Object, "edited", "spec", "template", "metadata", "labels", key)
	}
	return object
}

// owners are the owned fields by manager and operation.
func owners(t *rapid.T, object *unstructured.Unstructured) map[string]string {
	found := map[string]string{}
	for _, entry := range object.GetManagedFields() {
		set, err := fieldsOf(&entry)
		if err != nil {
			t.Fatal(err)
		}
		found[entry.Manager+" "+string(entry.Operation)] = set.String()
	}
	return found
}

// TestFinishIsWhatKubectlDoes compares with what kubectl apply --server-side leaves: an apply, the migration of the entries,
// and the same apply again. An apply after the migration alone has to come to the same.
func TestFinishIsWhatKubectlDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, second := deployment(t), deployment(t)
		s := newServer(t)
		last := withDefaults(first)
		last.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: "{}"})
		s.done(s.Update(last, clientSide))
		if rapid.Bool().Draw(t, "another") {
			s.done(s.Update(edited(t, s.live()), "kubectl-set"))
		}
		former := rapid.SampledFrom([]string{"", "ci", "before"}).Draw(t, "applied by")
		if former != "" {
			s.done(s.Apply(deployment(t), former, true))
		}
		m := Of(s.ManagedFields(), "ci", []string{"ci", "before"}, []string{"ours"})
		begin := s.live()

		s.done(s.Apply(second, "ci", true))
		finished := s.live()
		s.done(m.Finish(finished))
		s.migrate(m)
		s.done(s.Apply(second, "ci", true))
		want := s.live()

		again := newServer(t)
		for range 2 { // with the second one nothing changes, so that its writer owns nothing
			s.done(again.Update(begin.DeepCopy(), "nobody"))
		}
		again.migrate(m)
		s.done(again.Apply(second, "ci", true))
		for name, got := range map[string]*unstructured.Unstructured{"finished": finished, "migrated first": again.live()} {
			if got, want := typed(t, got), typed(t, want); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got\n%v\nwant\n%v", name, got, want)
			}
			if got, want := owners(t, got), owners(t, want); !maps.Equal(got, want) {
				t.Errorf("%s: owned by\n%v\nwant\n%v", name, got, want)
			}
		}
		if next := Of(want.GetManagedFields(), "ci", []string{"ci", "before"}, nil); next.Needed() {
			t.Errorf("another migration would follow: %+v", next)
		}
	})
}

// typed is the object as a client knows it, so that nothing and empty are the same.
func typed(t *rapid.T, object *unstructured.Unstructured) string {
	object = object.DeepCopy()
	object.SetManagedFields(nil)
	var d appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &d); err != nil {
		t.Fatal(err)
	}
	text, err := runtime.Encode(scheme.Codecs.LegacyCodec(appsv1.SchemeGroupVersion), &d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOf(t *testing.T) {
	t.Parallel()
	annotation := &metav1.FieldsV1{}
	annotation.SetRawBytes([]byte(`{"f:metadata":{"f:annotations":{"f:` + corev1.LastAppliedConfigAnnotation + `":{}}}}`))
	other := &metav1.FieldsV1{}
	other.SetRawBytes([]byte(`{"f:spec":{"f:replicas":{}}}`))
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, fields *metav1.FieldsV1) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, FieldsV1: fields, APIVersion: "apps/v1"}
	}
	const update, apply = metav1.ManagedFieldsOperationUpdate, metav1.ManagedFieldsOperationApply
	for name, test := range map[string]struct {
		entries []metav1.ManagedFieldsEntry
		updates []string
		applies []string
	}{
		"nobody":                    {},
		"kubectl apply":             {entries: []metav1.ManagedFieldsEntry{entry(clientSide, update, annotation)}, updates: []string{clientSide}},
		"under another name":        {entries: []metav1.ManagedFieldsEntry{entry("jenkins", update, annotation)}, updates: []string{"jenkins"}},
		"what we restored by":       {entries: []metav1.ManagedFieldsEntry{entry("ours", update, annotation)}},
		"no client-side apply":      {entries: []metav1.ManagedFieldsEntry{entry(clientSide, update, other), entry("kubectl-edit", update, other)}},
		"kubectl's own server-side": {entries: []metav1.ManagedFieldsEntry{entry("kubectl-last-applied", apply, annotation)}},
		"a former name":             {entries: []metav1.ManagedFieldsEntry{entry("before", apply, other), entry("before", update, other)}, applies: []string{"before"}},
		"the same name":             {entries: []metav1.ManagedFieldsEntry{entry("ci", apply, other)}},
	} {
		m := Of(test.entries, "ci", []string{"ci", "before"}, []string{"ci", "ours"})
		if got := slices.Sorted(maps.Keys(m.clientSide)); !slices.Equal(got, test.updates) || !slices.Equal(m.former, test.applies) {
			t.Errorf("%s: %v, %v", name, got, m.former)
		}
	}
}
