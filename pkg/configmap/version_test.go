package configmap

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestVersionNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 240)
	for name, c := range map[string]struct {
		head    Object
		content Content
		try     int
		want    string
	}{
		"as kubectl":       {Object{ConfigMap, "x"}, Content{Text: map[string]string{"a": "1"}}, 0, "x-m8mt92gg65"},
		"empty":            {Object{ConfigMap, "x"}, Content{Text: map[string]string{}}, 0, "x-62ctbmbfd2"},
		"another's name":   {Object{ConfigMap, "x"}, Content{Text: map[string]string{"a": "1"}}, 1, "x-m8mt92gg65" + "9b66cm"},
		"as long as it is": {Object{ConfigMap, long}, Content{Text: map[string]string{}}, 0, long + "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := NewVersion(c.head, &c.content, c.try)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(v.Object.Name, c.want) || c.head.Name == "x" && v.Object.Name != c.want {
				t.Errorf("%s, not %s", v.Object.Name, c.want)
			}
		})
	}
	if _, err := NewVersion(Object{ConfigMap, strings.Repeat("x", 243)}, &Content{}, 0); err == nil {
		t.Error("a name that is too long is taken")
	}
}

func TestVersionsCanBeWritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"web", strings.Repeat("long.name-", 20) + "x"} {
		config := &Content{Text: map[string]string{"a": "", "b": "x\n"}, Binary: map[string][]byte{"c": {0xff, 0}}}
		v, err := NewVersion(Object{ConfigMap, name}, config, 0)
		if err != nil {
			t.Fatal(err)
		}
		written := v.Content.ConfigMap(v.Meta("shop", "2026-01-01T00:00:00Z"), new(true))
		if errs := validation.IsValidLabelValue(written.Labels[HeadLabel]); len(errs) > 0 {
			t.Errorf("the label %q: %v", written.Labels[HeadLabel], errs)
		}
		if errs := validation.IsQualifiedName(RecordKey(v.Head)); len(errs) > 0 {
			t.Errorf("the key %q: %v", RecordKey(v.Head), errs)
		}
	}
}

// FuzzSum joins parts of a content in other ways, which must be another content unless it is the same.
func FuzzSum(f *testing.F) {
	f.Add("a", "1;b=2", "a", "1", "b", "2")
	f.Add("a", "b\x00c", "a\x00b", "c", "", "")
	f.Add("ab", "c", "a", "bc", "", "")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2, k3, v3 string) {
		contents := []*Content{
			{Text: map[string]string{k1: v1}},
			{Text: map[string]string{k2: v2}},
			{Text: map[string]string{k2: v2, k3: v3}},
			{Text: map[string]string{k1: v1}, Binary: map[string][]byte{k3: []byte(v3)}},
			{Binary: map[string][]byte{k1: []byte(v1)}},
			{Text: map[string]string{k1: v1, k3: v3}},
			{Text: map[string]string{k1 + k2: v1 + v2}},
			{Text: map[string]string{k1: v1}, Type: corev1.SecretType(k3)},
		}
		for _, a := range contents {
			for _, b := range contents {
				if same := a.Equal(b); same != (a.Sum() == b.Sum()) {
					t.Errorf("%+v and %+v: equal is %v, and the sums say otherwise", a, b, same)
				}
			}
		}
	})
}

func TestSumOfEmpty(t *testing.T) {
	t.Parallel()
	none, empty := &Content{}, &Content{Text: map[string]string{}, Binary: map[string][]byte{}}
	if none.Sum() != empty.Sum() || !none.Equal(empty) {
		t.Error("no map and an empty one are two contents")
	}
	if ContentOfConfigMap(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}).Sum() != none.Sum() {
		t.Error("a name counts for the content")
	}
	if (&Content{Text: map[string]string{"a": ""}}).Sum() == none.Sum() {
		t.Error("an empty value is none")
	}
}
