package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// ownedBy returns a reference to an owner with this UID.
func ownedBy(uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: string(uid), UID: uid}
}

// TestEnsure has other objects in the way of the name that kubectl would give a version.
func TestEnsure(t *testing.T) {
	t.Parallel()
	head := configmap.Object{Kind: configmap.ConfigMap, Name: "x"}
	content := &configmap.Content{Text: map[string]string{"a": "1"}}
	named := func(try int, change func(*corev1.ConfigMap)) *corev1.ConfigMap {
		v, err := configmap.NewVersion(head, content, try)
		if err != nil {
			t.Fatal(err)
		}
		made := v.Content.ConfigMap(v.Meta("shop", "2026-01-01T00:00:00Z"), new(true))
		made.Namespace, made.OwnerReferences = "shop", []metav1.OwnerReference{ownedBy("theirs")}
		if change != nil {
			change(made)
		}
		return made
	}
	foreign := func(c *corev1.ConfigMap) { c.Labels, c.Annotations, c.Immutable = nil, nil, nil }
	forged := func(c *corev1.ConfigMap) { c.Data = map[string]string{"a": "2"} }
	ending := func(c *corev1.ConfigMap) {
		c.DeletionTimestamp, c.Finalizers = new(metav1.NewTime(time.Unix(1, 0))), []string{"example.com/wait"}
	}
	var all []runtime.Object
	for try := range configmap.VersionNames {
		all = append(all, named(try, foreign))
	}
	for name, c := range map[string]struct {
		there  []runtime.Object
		want   string
		owners []string
	}{
		"nothing there":           {nil, "x-m8mt92gg65", []string{"mine"}},
		"the same version":        {[]runtime.Object{named(0, nil)}, "x-m8mt92gg65", []string{"theirs", "mine"}},
		"kubectl's --append-hash": {[]runtime.Object{named(0, foreign)}, "x-m8mt92gg659b66cm", []string{"mine"}},
		"another content":         {[]runtime.Object{named(0, forged)}, "x-m8mt92gg659b66cm", []string{"mine"}},
		"one that is going":       {[]runtime.Object{named(0, ending)}, "x-m8mt92gg659b66cm", []string{"mine"}},
		"the longer one too":      {[]runtime.Object{named(0, foreign), named(1, nil)}, "x-m8mt92gg659b66cm", []string{"theirs", "mine"}},
		"every name":              {all, "", nil},
	} {
		client := fake.NewClientset(c.there...)
		reader := &Reader{Client: client, Namespace: "shop"}
		s := &Versions{Reader: reader, Clock: clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))}
		version, err := s.Ensure(t.Context(), head, content, []metav1.OwnerReference{ownedBy("mine")}, false)
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), `all names for the new version of configmap/x in namespace "shop" are taken`) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || version.Object.Name != c.want {
			t.Errorf("%s: %+v, %v", name, version, err)
			continue
		}
		written, err := client.CoreV1().ConfigMaps("shop").Get(t.Context(), c.want, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var owners []string
		for _, owner := range written.OwnerReferences {
			owners = append(owners, fmt.Sprint(owner.UID))
		}
		if written.Data["a"] != "1" || !*written.Immutable || !slices.Equal(owners, c.owners) {
			t.Errorf("%s: wrote %+v", name, written)
		}
	}
}
