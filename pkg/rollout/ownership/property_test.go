package ownership

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"pgregory.net/rapid"
)

const marker = "rollout-plus/rollout"

// deploymentFields are the fields that a rollout of a Deployment writes.
func deploymentFields() Fields {
	return Fields{
		Borrowed: []Field{
			{"spec", "strategy"},
			{"spec", "minReadySeconds"},
			{"spec", "progressDeadlineSeconds"},
			{"metadata", "annotations", marker},
		},
		Changed: []Field{{"spec", "template"}, {"metadata", "annotations", "kubernetes.io/change-cause"}},
	}
}

// server is one Deployment, whose ownership the API machinery's own field manager keeps.
type server struct {
	*rapid.T
	manager *managedfields.FieldManager
	live    *unstructured.Unstructured
}

// update changes the object by an Update.
func (s *server) update(manager string, change func(map[string]any)) {
	next := s.live.DeepCopy()
	change(next.Object)
	defaults(next.Object)
	s.store(s.manager.Update(s.live, next, manager))
}

func (s *server) store(object any, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	next, is := object.(*unstructured.Unstructured)
	if !is {
		s.Fatalf("the field manager gave a %T", object)
	}
	s.live = next
	defaults(s.live.Object)
}

// defaults fills in what the API server does, which keeps no empty fields either.
func defaults(object map[string]any) {
	prune(object)
	for field, value := range map[string]any{
		"surge": "25%", "missing": "25%", "type": "RollingUpdate", "deadline": int64(600), "grace": int64(30),
		"image": []any{map[string]any{"name": "app", "image": "web"}},
	} {
		if _, found, _ := unstructured.NestedFieldNoCopy(object, paths[field]...); !found {
			set(object, paths[field], value)
		}
	}
}

func prune(object map[string]any) {
	for name, field := range object {
		if inner, is := field.(map[string]any); is {
			prune(inner)
			if len(inner) > 0 {
				continue
			}
			field = nil
		}
		if field == nil {
			delete(object, name)
		}
	}
}

// apply applies a Deployment of these fields.
func (s *server) apply(manager string, force bool, fields map[string]any) error {
	applied := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"},
	}}
	for path, value := range fields {
		set(applied.Object, paths[path], value)
	}
	object, err := s.manager.Apply(s.live.DeepCopy(), applied, manager, force)
	if err == nil {
		s.store(object, nil)
	}
	return err
}

// paths are the fields that the scenarios play with.
var paths = map[string][]string{
	"surge":    {"spec", "strategy", "rollingUpdate", "maxSurge"},
	"missing":  {"spec", "strategy", "rollingUpdate", "maxUnavailable"},
	"type":     {"spec", "strategy", "type"},
	"ready":    {"spec", "minReadySeconds"},
	"deadline": {"spec", "progressDeadlineSeconds"},
	"restart":  {"spec", "template", "metadata", "annotations", "restartedAt"},
	"grace":    {"spec", "template", "spec", "terminationGracePeriodSeconds"},
	"image":    {"spec", "template", "spec", "containers"},
	"cause":    {"metadata", "annotations", "kubernetes.io/change-cause"},
	"replicas": {"spec", "replicas"},
	"marker":   {"metadata", "annotations", marker},
}

func set(object map[string]any, path []string, value any) {
	if value == nil {
		unstructured.RemoveNestedField(object, path...)
		return
	}
	if err := unstructured.SetNestedField(object, value, path...); err != nil {
		panic(err)
	}
}

func (s *server) has(field string) any {
	found, _, _ := unstructured.NestedFieldCopy(s.live.Object, paths[field]...)
	return found
}

// values are what a field may be set to, besides nothing.
func anyValue(t *rapid.T, field string) any {
	number := rapid.Int64Range(1, 3).Draw(t, field)
	switch field {
	case "surge", "missing":
		return rapid.SampledFrom([]any{number, fmt.Sprintf("%d%%", number)}).Draw(t, "value")
	case "type":
		return "RollingUpdate"
	case "image":
		containers := []any{map[string]any{"name": "app", "image": fmt.Sprint("web:v", number)}}
		if rapid.Bool().Draw(t, "second") {
			containers = append(containers, map[string]any{
				"name": "side", "image": "side", "env": []any{map[string]any{"name": "A", "value": fmt.Sprint(number)}},
			})
		}
		return containers
	case "restart", "cause":
		return fmt.Sprint(number)
	}
	return number
}

// some are a few of the fields with values.
func some(t *rapid.T, among ...string) map[string]any {
	chosen := map[string]any{}
	for _, field := range among {
		if rapid.Bool().Draw(t, "has "+field) {
			chosen[field] = anyValue(t, field)
		}
	}
	return chosen
}

// owned tells who owns which of the fields that an object has.
func owned(t *rapid.T, object *unstructured.Unstructured, holds func(string) bool) map[string][]string {
	found := map[string][]string{}
	for _, entry := range object.GetManagedFields() {
		fields, err := decode(entry.FieldsV1)
		if err != nil {
			t.Fatal(err)
		}
		for path := range fields.All() {
			// Of a map that is gone the field manager may keep an owner.
			if text := path.String(); holds(text) && sameAt(object.Object, object.Object, path) {
				key := fmt.Sprint(entry.Manager, entry.Operation, entry.Subresource)
				found[key] = append(found[key], text)
			}
		}
	}
	for _, fields := range found {
		slices.Sort(fields)
	}
	return found
}

var (
	borrowed = []string{"surge", "missing", "type", "ready", "deadline"}
	template = []string{"image", "grace", "restart"}
)

// begun is a rollout under way.
type begun struct {
	*server
	writers []string
	owners  *Owners
	before  map[string]any
	started *unstructured.Unstructured
	marks   int
}

func (b *begun) writer() string { return b.writers[len(b.writers)-1] }

// write makes a write of the rollout.
func (b *begun) write(values map[string]any) {
	b.marks++
	b.update(b.writer(), func(object map[string]any) {
		for field, value := range values {
			set(object, paths[field], value)
		}
		set(object, paths["marker"], fmt.Sprint(b.marks))
	})
}

func gate(t *rapid.T) map[string]any {
	return map[string]any{"surge": anyValue(t, "surge"), "missing": anyValue(t, "missing"), "type": "RollingUpdate", "ready": int64(99), "deadline": int64(100)}
}

// anyServer is a Deployment that several have written.
func anyServer(t *rapid.T) *server {
	s := &server{
		T: t, manager: managedfieldstest.NewFakeFieldManager(typeConverter(), appsv1.SchemeGroupVersion.WithKind("Deployment")),
		live: &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}}},
	}
	s.update("kube-controller-manager", func(object map[string]any) { set(object, []string{"status", "replicas"}, int64(1)) })
	all := slices.Concat(borrowed, template, []string{"replicas", "cause"})
	for range rapid.IntRange(1, 4).Draw(t, "authors") {
		manager := rapid.SampledFrom([]string{"helm", "ci", "kubectl-edit", "rollout-plus"}).Draw(t, "author")
		fields := some(t, all...)
		if rapid.Bool().Draw(t, "applies") {
			if err := s.apply(manager, true, fields); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s.update(manager, func(object map[string]any) {
			for field, value := range fields {
				set(object, paths[field], value)
			}
		})
	}
	return s
}

// begin makes the first write of a rollout.
func begin(t *rapid.T, s *server) *begun {
	b := &begun{
		server: s, writers: []string{rapid.SampledFrom([]string{"rollout-plus", "ci", "other"}).Draw(t, "writer")}, before: map[string]any{},
		started: s.live.DeepCopy(),
	}
	for field := range paths {
		b.before[field] = s.has(field)
	}
	asked := some(t, template...)
	after := s.live.DeepCopy()
	for field, value := range asked {
		set(after.Object, paths[field], value)
	}
	set(after.Object, paths["cause"], nil)
	var err error
	b.owners, err = Find(Object{Entries: s.live.GetManagedFields(), Content: s.live.Object}, after.Object, deploymentFields(), b.writer(), 1<<20)
	b.check(err)
	for field, value := range gate(t) {
		asked[field] = value
	}
	asked["cause"] = nil
	b.write(asked)
	return b
}

func (b *begun) check(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// move makes one more write, maybe under another name, and maybe from another process that has read the record.
func (b *begun) move(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "another") == 0 {
		text, err := json.Marshal(b.owners)
		b.check(err)
		b.owners = &Owners{}
		b.check(json.Unmarshal(text, b.owners))
		b.writers = append(b.writers, rapid.SampledFrom([]string{"rollout-plus", "ci", "third", "helm"}).Draw(t, "name"))
		b.owners, err = b.owners.Join(b.live.GetManagedFields(), deploymentFields(), b.writer())
		b.check(err)
	}
	b.write(gate(t))
}

// end makes the last two writes.
func (b *begun) end(back bool) {
	values := map[string]any{}
	for _, field := range borrowed {
		values[field] = b.before[field]
	}
	if back {
		for _, field := range append(template, "cause") {
			values[field] = b.before[field]
		}
	}
	b.write(values)
	entries, _, err := b.owners.Return(b.live.GetManagedFields(), deploymentFields(), back)
	b.check(err)
	b.update(b.writer(), func(object map[string]any) {
		set(object, paths["marker"], nil)
		u := unstructured.Unstructured{Object: object}
		u.SetManagedFields(entries)
	})
}

// givenBack tells which fields are to have the owners that they had.
func (b *begun) givenBack(back bool) func(string) bool {
	return func(path string) bool { return back || !hasPrefix(path, ".spec.template", ".metadata.annotations") }
}

var typeConverter = func() func() managedfields.TypeConverter {
	converter := applyconfigurations.NewTypeConverter(scheme.Scheme)
	return func() managedfields.TypeConverter { return converter }
}()

func TestOwnersReturn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := begin(t, anyServer(t))
		for range rapid.IntRange(0, 3).Draw(t, "moves") {
			b.move(t)
		}
		back := rapid.Bool().Draw(t, "back")
		b.end(back)
		before, after := owned(t, b.started, b.givenBack(back)), owned(t, b.live, b.givenBack(back))
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Fatalf("back %v\nbefore %v\nafter  %v\nowners %+v", back, before, after, b.owners)
		}
	})
}

func hasPrefix(text string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}
