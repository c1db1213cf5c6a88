package configmap

import (
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// written returns a version as it is stored, and the Secret's version as an earlier release named it.
func written(t *testing.T, kind Kind, name string, hashed bool) (*Version, *Stored) {
	t.Helper()
	content := &Content{Text: map[string]string{"a": "", "b": "x\n"}, Binary: map[string][]byte{"c": {0xff, 0}}}
	if kind == Secret {
		content = &Content{Text: map[string]string{"token": "\xff\x00"}, Type: "example.com/token"}
	}
	v, err := NewVersion(Object{kind, name}, content, 0)
	if kind == Secret && !hashed {
		v, err = RandomVersion(Object{kind, name}, content)
	}
	if err != nil {
		t.Fatal(err)
	}
	meta := v.Meta("shop", "2026-01-01T00:00:00Z")
	meta.Namespace = "shop"
	if hashed { // what earlier releases wrote
		meta.Annotations[SumAnnotation] = content.Sum()
		delete(meta.Annotations, SealAnnotation)
		delete(meta.Annotations, OriginAnnotation)
	}
	stored := &Stored{kind, &meta, true, ContentOfConfigMap(content.ConfigMap(meta, nil))}
	if kind == Secret {
		stored.Content = ContentOfSecret(content.Secret(meta, nil))
	}
	return v, stored
}

// What others make of a version is not a version, and none of theirs is ever removed.
func TestCopiesOfVersions(t *testing.T) {
	t.Parallel()
	named := func(name string) func(*Stored, *metav1.ObjectMeta) {
		return func(_ *Stored, meta *metav1.ObjectMeta) { meta.Name = name }
	}
	long := strings.Repeat("long.name-", 20) + "x"
	for what, spoil := range map[string]func(*Stored, *metav1.ObjectMeta){
		"another name":        named("web-copy"),
		"a name like a hash":  named("web-bcdfghkmt2"),
		"a longer suffix":     func(_ *Stored, meta *metav1.ObjectMeta) { meta.Name += "bcdfgh" },
		"a suffix of its own": func(_ *Stored, meta *metav1.ObjectMeta) { meta.Name += "-old" },
		"the head's name":     named("web"),
		"a prefix of its own": func(_ *Stored, meta *metav1.ObjectMeta) { meta.Name = "my-" + meta.Name },
		"another head's name": func(_ *Stored, meta *metav1.ObjectMeta) { meta.Name = "x" + meta.Name[1:] },
		"it can change":       func(s *Stored, _ *metav1.ObjectMeta) { s.Immutable = false },
		"another content": func(s *Stored, _ *metav1.ObjectMeta) {
			s.Content = &Content{Text: map[string]string{"a": "other"}, Type: s.Content.Type}
		},
		"a key more": func(s *Stored, _ *metav1.ObjectMeta) {
			s.Content = s.Content.With(&Content{Text: map[string]string{"d": ""}}, nil)
		},
		"no label":               func(_ *Stored, meta *metav1.ObjectMeta) { meta.Labels = nil },
		"another label":          func(_ *Stored, meta *metav1.ObjectMeta) { meta.Labels[HeadLabel] = "other" },
		"no annotation":          func(_ *Stored, meta *metav1.ObjectMeta) { meta.Annotations = nil },
		"another head":           func(_ *Stored, meta *metav1.ObjectMeta) { meta.Annotations[HeadAnnotation] = "other" },
		"another sum":            func(_ *Stored, meta *metav1.ObjectMeta) { meta.Annotations[SumAnnotation] = "other" },
		"another seal":           func(_ *Stored, meta *metav1.ObjectMeta) { meta.Annotations[SealAnnotation] = "other" },
		"the label alone":        func(_ *Stored, meta *metav1.ObjectMeta) { meta.Annotations = map[string]string{HeadAnnotation: "web"} },
		"a name without the sum": func(_ *Stored, meta *metav1.ObjectMeta) { delete(meta.Annotations, SumAnnotation) },
	} {
		for _, kind := range []Kind{ConfigMap, Secret} {
			for _, name := range []string{"web", long} {
				for _, hashed := range []bool{true, false} {
					v, stored := written(t, kind, name, hashed)
					if head, is := stored.Version(); !is || head != v.Head || !stored.IsOurs() || !v.Is(stored) || stored.IsMarked() || !stored.HoldsWhatItsNameSays() {
						t.Fatalf("%s %s is not taken for a version", kind, stored.Meta.GetName())
					}
					spoil(stored, stored.Meta.(*metav1.ObjectMeta))
					if _, is := stored.Version(); is || stored.IsOurs() || v.Is(stored) {
						t.Errorf("%s of %s (hashed: %v), %s: it is taken for a version", kind, name, hashed, what)
					}
				}
			}
		}
	}
}

// A version in another namespace goes on being one, as where a namespace was restored, and is never removed.
func TestVersionsOfOtherNamespaces(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{ConfigMap, Secret} {
		v, stored := written(t, kind, "web", false)
		stored.Meta.SetNamespace("elsewhere")
		if _, is := stored.Version(); !is || stored.IsOurs() || v.Is(stored) {
			t.Errorf("%s: a version is %v, ours %v, the same %v", kind, is, stored.IsOurs(), v.Is(stored))
		}
	}
}

func TestMarksOfOthers(t *testing.T) {
	t.Parallel()
	for what, mark := range map[string]func(*metav1.ObjectMeta){
		"label":        func(meta *metav1.ObjectMeta) { meta.Labels["keep"] = "true" },
		"annotation":   func(meta *metav1.ObjectMeta) { meta.Annotations[corev1.LastAppliedConfigAnnotation] = "{}" },
		"finalizer":    func(meta *metav1.ObjectMeta) { meta.Finalizers = []string{"example.com/keep"} },
		"instance":     func(meta *metav1.ObjectMeta) { meta.Labels["app.kubernetes.io/instance"] = "web" },
		"alike, of us": func(meta *metav1.ObjectMeta) { meta.Annotations["rollout-plus/other"] = "" },
	} {
		_, stored := written(t, ConfigMap, "web", false)
		mark(stored.Meta.(*metav1.ObjectMeta))
		if !stored.IsMarked() || !stored.IsOurs() {
			t.Errorf("%s: marked is %v, ours %v", what, stored.IsMarked(), stored.IsOurs())
		}
	}
}

// Nothing that stands in a template, and nothing else that many may read, tells anything of a Secret.
func TestNamesOfSecretsTellNothing(t *testing.T) {
	t.Parallel()
	head, content := Object{Secret, "login"}, &Content{Text: map[string]string{"pin": "1234"}}
	names := map[string]bool{}
	for range 20 {
		v, err := RandomVersion(head, content)
		if err != nil {
			t.Fatal(err)
		}
		of, hash, is := SplitName(v.Object.Name)
		if !is || of != "login" || names[hash] {
			t.Errorf("%s is not named by chance as a version", v.Object.Name)
		}
		names[hash] = true
		told := strings.Join(append([]string{v.Object.Name}, strings.Fields(strings.Join(valuesOf(v.Meta("shop", "").Annotations), " "))...), " ")
		if short, _ := ShortHash(head, content); strings.Contains(told, short) || strings.Contains(told, content.Sum()) {
			t.Errorf("%s has a hash of the content alone", told)
		}
		kept := &Kept{Object: v.Object, Head: head, Meta: v.Meta("shop", "")}
		if !kept.Holds(content) || kept.Holds(&Content{Text: map[string]string{"pin": "1235"}}) {
			t.Error("the version is not found again by its content")
		}
	}
}

func valuesOf(of map[string]string) []string {
	var all []string
	for value := range maps.Values(of) {
		all = append(all, value)
	}
	return all
}
