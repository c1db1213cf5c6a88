//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tenMinutesLater has commands believe that it is later than the grace of versions ends.
func (s *space) tenMinutesLater() {
	s.Helper()
	s.behind(func(*http.Request) {}, func(response *http.Response) error {
		response.Header.Set("Date", time.Now().Add(11*time.Minute).UTC().Format(http.TimeFormat))
		return nil
	})
}

// copied creates a copy of a version with what a change makes of it, and without owners.
func (s *space) copied(resource, name string, change func(*corev1.Secret)) {
	s.Helper()
	// A Secret has all fields that both kinds have; what differs is that values are base64.
	var all map[string]any
	must(s.TB, json.Unmarshal([]byte(s.kubectl("get", resource, name, "-o", "json")), &all))
	text, err := json.Marshal(all)
	must(s.TB, err)
	var object corev1.Secret
	if resource == "configmap" {
		delete(all, "data")
		text, err = json.Marshal(all)
		must(s.TB, err)
	}
	must(s.TB, json.Unmarshal(text, &object))
	object.ObjectMeta = metav1.ObjectMeta{Name: object.Name, Namespace: s.name, Labels: object.Labels, Annotations: object.Annotations}
	change(&object)
	if resource == "secret" {
		_, err = s.client.CoreV1().Secrets(object.Namespace).Create(s.Context(), &object, metav1.CreateOptions{})
		must(s.TB, err)
		return
	}
	original, err := s.client.CoreV1().ConfigMaps(s.name).Get(s.Context(), name, metav1.GetOptions{})
	must(s.TB, err)
	original.ObjectMeta, original.Immutable = object.ObjectMeta, object.Immutable
	for key, value := range object.Data {
		original.Data[key] = string(value)
	}
	_, err = s.client.CoreV1().ConfigMaps(object.Namespace).Create(s.Context(), original, metav1.CreateOptions{})
	must(s.TB, err)
}

// marked are the objects of a kind that have the label of versions.
func (s *space) marked(resource string) []string {
	s.Helper()
	return strings.Fields(s.kubectl("get", resource, "-l", "rollout-plus/config", "-o", "jsonpath={.items[*].metadata.name}"))
}

// What was made of a version by others stays, whatever it is called, and goes neither with its owners.
func TestNothingOfOthersIsSwept(t *testing.T) {
	for resource, flag := range map[string]string{"configmap": "COLOR=settings:color", "secret": "COLOR=secret/settings:color"} {
		t.Run(resource, func(t *testing.T) {
			s, elsewhere := newSpace(t), openSpace(t, t.TempDir())
			kind := []string{"create", resource}
			if resource == "secret" {
				kind = append(kind, "generic")
			}
			for _, space := range []*space{s, elsewhere} {
				space.kubectl(append(kind, "settings", "--from-literal=color=blue")...)
			}
			s.plugin("create", "deployment", "web", "--image", "web:v1", "--env-from-config-key", flag).ends(0)
			version := s.marked(resource)[0]
			copies := map[string]func(*corev1.Secret){
				"settings-copy":         func(*corev1.Secret) {},
				"settings-bcdfghkmt2":   func(*corev1.Secret) {},
				version + "bcdfgh":      func(*corev1.Secret) {},
				version + "-old":        func(*corev1.Secret) {},
				"settings-m8mt92gg65":   func(o *corev1.Secret) { o.Immutable = nil },
				"settings-ffffffffff":   func(o *corev1.Secret) { o.Data = map[string][]byte{"color": []byte("red")} },
				"settings-bbbbbbbbbb":   func(o *corev1.Secret) { o.Labels["app.kubernetes.io/instance"] = "theirs" },
				"my-" + version:         func(*corev1.Secret) {},
				"settings-62ctbmbfd2-x": func(o *corev1.Secret) { o.Annotations["rollout-plus/head"] = "settings-62ctbmbfd2" },
			}
			for name, change := range copies {
				s.copied(resource, version, func(o *corev1.Secret) { o.Name = name; change(o) })
			}
			s.copied(resource, version, func(o *corev1.Secret) { o.Namespace = elsewhere.name })
			// The version itself is needed by nobody once its Deployment is gone.
			s.kubectl("patch", resource, version, "--type=merge", "-p", `{"metadata":{"ownerReferences":null}}`)
			s.kubectl("delete", "deployment", "web", "--cascade=foreground")
			s.kubectl(append(kind, "other", "--from-literal=color=blue")...)
			elsewhere.kubectl(append(kind, "other", "--from-literal=color=blue")...)
			for _, space := range []*space{s, elsewhere} {
				space.tenMinutesLater()
				space.plugin("create", "deployment", "next", "--image", "web:v1", "--env-from-config-key", strings.Replace(flag, "settings", "other", 1)).ends(0)
			}
			left := slices.DeleteFunc(s.marked(resource), func(name string) bool { return strings.HasPrefix(name, "other-") })
			if want := slices.Sorted(maps.Keys(copies)); !slices.Equal(left, want) {
				t.Errorf("of the copies %v there are still %v", want, left)
			}
			if !slices.Contains(elsewhere.marked(resource), version) {
				t.Errorf("the copy of %s in another namespace is gone", version)
			}
		})
	}
}

// What was restored from the YAML of a version is an object like others.
func TestWhatIsRestoredFromAVersionIsNone(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.plugin("create", "deployment", "web", "--image", "web:v1", "--env-from-config-key", "COLOR=settings:color", "--wait").ends(0)
	version := s.marked("configmap")[0]
	for _, name := range []string{"settings", "restored", "settings-copy", "settings-bcdfghkmt2"} {
		if name == "settings" {
			s.kubectl("delete", "configmap", name)
		}
		s.copied("configmap", version, func(o *corev1.Secret) { o.Name, o.Immutable = name, nil })
	}
	s.plugin("config", "history", "settings").ends(0, version)
	for _, name := range []string{"restored", "settings-copy", "settings-bcdfghkmt2"} {
		s.plugin("create", "deployment", "of-"+name, "--image", "web:v1", "--env-from-config-key", "COLOR="+name+":color", "--wait").ends(0)
	}
	p := s.watching()
	s.recolor("red")
	p.tells("deployment.apps/web rolled out (revision 2)")
	for _, name := range []string{"restored", "settings-copy", "settings-bcdfghkmt2"} {
		s.kubectl("patch", "configmap", name, "-p", `{"data":{"color":"green"}}`)
		p.tells("deployment.apps/of-" + name + " rolled out (revision 2)")
	}
	p.stopped()
	s.plugin("config", "set", "settings-copy", "color=yellow", "--yes").ends(0, "deployment.apps/of-settings-copy rolled out (revision 3)")
	s.plugin("config", "set", version, "color=yellow", "--yes").ends(1, "is a version; change settings instead")
}

// The same content of a Secret has the same version, by whose name nobody can guess at it.
func TestVersionsOfSecretsAreFoundAgain(t *testing.T) {
	w := newWeb(t, replicas(1))
	w.kubectl("create", "secret", "generic", "settings", "--from-literal=edit=0")
	w.plugin("config", "attach", "deployment/web", "--env-from-config-key", "EDIT=secret/settings:edit", "--steps", "100%").ends(0)
	reference := func() string { return w.get().Spec.Template.Spec.Containers[0].Env[0].ValueFrom.SecretKeyRef.Name }
	first := reference()
	w.plugin("config", "set", "secret/settings", "edit=1", "--yes", "--steps", "100%").ends(0)
	if second := reference(); second == first {
		t.Errorf("two contents have the version %s", second)
	}
	w.plugin("config", "set", "secret/settings", "edit=0", "--yes", "--steps", "100%").ends(0, "rolled out")
	if again := reference(); again != first {
		t.Errorf("the same content has the versions %s and %s", first, again)
	}
	sets, err := w.client.AppsV1().ReplicaSets(w.name).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	if len(sets.Items) != 3 {
		t.Errorf("there are %d ReplicaSets: going back made another one", len(sets.Items))
	}
	// In another namespace the same content has another name.
	other := openSpace(t, t.TempDir())
	other.kubectl("create", "secret", "generic", "settings", "--from-literal=edit=0")
	other.plugin("create", "deployment", "web", "--image", "web:v1", "--env-from-config-key", "EDIT=secret/settings:edit").ends(0)
	if name := other.marked("secret")[0]; name == first {
		t.Errorf("the version is named %s everywhere", name)
	}
}
