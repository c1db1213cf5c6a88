//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// TestWritten lets the API server fill in what it does, and expects back what the manifest said.
func TestWritten(t *testing.T) {
	s := newSpace(t)
	text, err := os.ReadFile(filepath.Join("testdata", "templates", "many-fields.yaml"))
	must(t, err)
	var template map[string]any
	must(t, yaml.Unmarshal(text, &template))
	for kind, spec := range map[string]map[string]any{
		"Deployment":  {"replicas": 0},
		"StatefulSet": {"replicas": 0, "serviceName": "web"},
		"DaemonSet":   {},
	} {
		spec["selector"], spec["template"] = map[string]any{"matchLabels": map[string]any{"app": "web"}}, template
		manifest, err := json.Marshal(map[string]any{"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"name": "web"}, "spec": spec})
		must(t, err)
		file := filepath.Join(t.TempDir(), "web.json")
		must(t, os.WriteFile(file, manifest, 0o600))
		var stored struct {
			Spec struct {
				Template map[string]any `json:"template"`
			} `json:"spec"`
		}
		// Nothing is to run: all that counts is what the API server makes of it.
		must(t, json.Unmarshal([]byte(s.kubectl("create", "-f", file, "--dry-run=server", "-o", "json")), &stored))
		isArtifact := func(volume map[string]any) bool { return volume["name"] == "artifact" }
		if !hasVolume(stored.Spec.Template, func(volume map[string]any) bool { return isArtifact(volume) && volume["image"] != nil }) {
			t.Log("this server has no image volumes, and stored an empty one or none")
			withoutVolume(stored.Spec.Template, isArtifact)
			withoutVolume(template, isArtifact)
		}
		got, err := yaml.Marshal(podtemplate.Written(stored.Spec.Template))
		must(t, err)
		want, err := yaml.Marshal(template)
		must(t, err)
		if string(got) != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", kind, got, want)
		}
	}
}

// hasVolume reports whether a pod template has such a volume.
func hasVolume(template map[string]any, is func(map[string]any) bool) bool {
	volumes := template["spec"].(map[string]any)["volumes"].([]any)
	return slices.ContainsFunc(volumes, func(item any) bool { return is(item.(map[string]any)) })
}

// withoutVolume removes volumes from a pod template.
func withoutVolume(template map[string]any, remove func(map[string]any) bool) {
	spec := template["spec"].(map[string]any)
	volumes := spec["volumes"].([]any)
	spec["volumes"] = slices.DeleteFunc(slices.Clone(volumes), func(item any) bool { return remove(item.(map[string]any)) })
}
