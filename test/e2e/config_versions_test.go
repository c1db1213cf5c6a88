//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// aVersion is how a version of settings is named.
var aVersion = regexp.MustCompile(`"settings-[a-z0-9]{10,}"`)

// versions are the versions of settings that there are, and those that a revision references or notes.
func (s *space) versions() (there, needed []string) {
	s.Helper()
	for _, resource := range []string{"configmaps", "secrets"} {
		text := s.kubectl("get", resource, "-l", "rollout-plus/config=settings", "-o", "jsonpath={.items[*].metadata.name}")
		there = append(there, strings.Fields(text)...)
	}
	sets, err := s.client.AppsV1().ReplicaSets(s.name).List(s.Context(), metav1.ListOptions{})
	must(s.TB, err)
	revisions, err := s.client.AppsV1().ControllerRevisions(s.name).List(s.Context(), metav1.ListOptions{})
	must(s.TB, err)
	var templates [][]byte
	for i := range revisions.Items {
		templates = append(templates, revisions.Items[i].Data.Raw)
	}
	for i := range sets.Items {
		template, err := json.Marshal(sets.Items[i].Spec.Template)
		must(s.TB, err)
		templates = append(templates, template)
	}
	for _, template := range templates {
		for _, name := range aVersion.FindAllString(string(template), -1) {
			needed = append(needed, strings.Trim(name, `"`))
		}
	}
	slices.Sort(there)
	slices.Sort(needed)
	return there, slices.Compact(needed)
}

// expectVersions expects so many versions, each of which a revision needs.
func (s *space) expectVersions(count int) {
	s.Helper()
	there, needed := s.versions()
	s.until(func() bool { there, needed = s.versions(); return slices.Equal(there, needed) && len(there) == count }, func() string {
		return fmt.Sprintf("there are the versions %v, and revisions need %v; %d are expected", there, needed, count)
	})
}

// Versions live as long as a ReplicaSet needs them, and not longer: the real garbage collector removes them.
func TestVersionsOfThirtyEdits(t *testing.T) {
	t.Parallel()
	for resource, create := range map[string][]string{"configmap": {"configmap"}, "secret": {"secret", "generic"}} {
		t.Run(resource, func(t *testing.T) { thirtyEdits(t, resource, create) })
	}
}

func thirtyEdits(t *testing.T, resource string, create []string) {
	t.Helper()
	w := newWeb(t, replicas(1), func(d *appsv1.Deployment) { d.Spec.RevisionHistoryLimit = new(int32(3)) })
	w.kubectl(append(append([]string{"create"}, create...), "settings", "--from-literal=edit=0")...)
	w.plugin("config", "attach", "deployment/web", "--env-from-config-key", "EDIT="+resource+"/settings:edit", "--steps", "100%").ends(0)
	for edit := 1; edit <= 30; edit++ {
		w.plugin("config", "set", resource+"/settings", fmt.Sprintf("edit=%d", edit), "--yes", "--steps", "100%").ends(0, resource+"/settings changed", "rolled out")
		switch edit {
		case 12: // somebody else makes revisions, with the version of the present
			w.kubectl("set", "image", "deployment/web", "app=web:v2")
			w.await("the other image runs", func(m *snapshot) bool { return m.complete() && m.image() == "web:v2" })
		case 20:
			w.kubectl("rollout", "undo", "deployment/web")
			w.kubectl("rollout", "status", "deployment/web")
		}
	}
	w.expectVersions(4)
	w.runs("web:v2")
	must(t, w.client.AppsV1().Deployments(w.name).Delete(t.Context(), "web", metav1.DeleteOptions{}))
	w.expectVersions(0)
}

// So it is in place, where a version is only noted, and for what has ControllerRevisions, of ConfigMaps and of Secrets.
func TestVersionsOfThirtyEditsElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, object, reference, mode string }{
		"in place":    {"Deployment", "configmap/settings", "configMapKeyRef", "--in-place"},
		"StatefulSet": {"StatefulSet", "secret/settings", "secretKeyRef", "--pin"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpace(t)
			s.kubectl("create", "configmap", "settings", "--from-literal=edit=0")
			s.kubectl("create", "secret", "generic", "settings", "--from-literal=edit=0")
			manifest := strings.Replace(workloadManifest(c.kind, "web:v1"), "replicas: 2", "replicas: 1\n  revisionHistoryLimit: 3", 1)
			manifest += "        env: [{name: EDIT, valueFrom: {" + c.reference + ": {name: settings, key: edit}}}]\n"
			s.kubectl("create", "-f", s.write(s.dir(), "web.yaml", manifest))
			s.kubectl("rollout", "status", c.kind+"/web")
			for edit := 1; edit <= 30; edit++ {
				s.plugin("config", "set", c.object, fmt.Sprintf("edit=%d", edit), "--yes", c.mode, "--steps", "100%").ends(0, "changed", "rolled out")
				if edit == 15 { // somebody else makes revisions, with the version of the present
					s.kubectl("set", "image", c.kind+"/web", "app=web:v2")
					s.kubectl("rollout", "status", c.kind+"/web")
				}
			}
			s.expectVersions(4)
			s.kubectl("delete", c.kind, "web")
			s.expectVersions(0)
		})
	}
}

// What is hard to pass on goes through every path byte for byte.
func TestConfigByteForByte(t *testing.T) {
	w := newWeb(t, replicas(1))
	binary := append([]byte{0xff, 0xfe, 0}, bytes.Repeat([]byte{0, 1, 0x80, '\n'}, 100_000)...)
	text := strings.Repeat("ä\t \"quoted\"\r\n", 30_000) + "no newline at the end"
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "binary"), binary, 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "text"), []byte(text), 0o600))
	w.kubectl("create", "configmap", "settings", "--from-literal=a=b", "--from-literal=empty=")
	w.plugin("config", "attach", "deployment/web", "--mount-config", "settings=/settings").ends(0)
	w.plugin("config", "set", "settings", "--from-file="+folder, "--yes").ends(0, "rolled out")
	expect := func(config *corev1.ConfigMap) {
		t.Helper()
		empty, found := config.Data["empty"]
		if config.Data["text"] != text || !bytes.Equal(config.BinaryData["binary"], binary) || empty != "" || !found {
			t.Errorf("%s has not what was given: keys %v", config.Name, slices.Sorted(maps.Keys(config.Data)))
		}
	}
	head, err := w.client.CoreV1().ConfigMaps(w.name).Get(t.Context(), "settings", metav1.GetOptions{})
	must(t, err)
	expect(head)
	name := w.get().Spec.Template.Spec.Volumes[0].ConfigMap.Name
	version, err := w.client.CoreV1().ConfigMaps(w.name).Get(t.Context(), name, metav1.GetOptions{})
	must(t, err)
	expect(version)
	w.plugin("config", "set", "settings", "binary-", "text=x", "--yes").ends(0)
	w.plugin("undo", "deployment/web", "--wait").ends(0, "configmap/settings holds again")
	head, err = w.client.CoreV1().ConfigMaps(w.name).Get(t.Context(), "settings", metav1.GetOptions{})
	must(t, err)
	expect(head)
	// As much as there may be, of what JSON has to escape, and one byte more.
	full := strings.Repeat("<\"\n&", corev1.MaxSecretSize/4)
	must(t, os.WriteFile(filepath.Join(folder, "full"), []byte(full), 0o600))
	w.plugin("config", "set", "settings", "a-", "empty-", "text-", "binary-", "--from-file="+filepath.Join(folder, "full"), "--yes").ends(0, "rolled out")
	version, err = w.client.CoreV1().ConfigMaps(w.name).Get(t.Context(), w.get().Spec.Template.Spec.Volumes[0].ConfigMap.Name, metav1.GetOptions{})
	must(t, err)
	if version.Data["full"] != full {
		t.Errorf("%s has %d bytes of %d", version.Name, len(version.Data["full"]), len(full))
	}
	big := strings.Repeat("x", corev1.MaxSecretSize)
	must(t, os.WriteFile(filepath.Join(folder, "big"), []byte(big), 0o600))
	w.plugin("config", "set", "settings", "--from-file="+filepath.Join(folder, "big"), "--yes").ends(2, "at most 1048576 are allowed")
}
