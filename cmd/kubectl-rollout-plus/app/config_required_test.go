package app

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

func TestRequired(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{containers: [{name: a, image: web}]}`: "[]",
		`{containers: [{name: a, env: [{name: A, valueFrom: {configMapKeyRef: {name: one, key: a}}}], envFrom: [{secretRef: {name: two}}, {configMapRef: {name: one}}]}]}`:                "[secret/two configmap/one]",
		`{initContainers: [{name: a, envFrom: [{configMapRef: {name: one}}]}]}`:                                                                                                           "[configmap/one]",
		`{containers: [{name: a, envFrom: [{configMapRef: {name: one, optional: true}}]}]}`:                                                                                               "[]",
		`{containers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, secret: {secretName: one}}, {name: w, configMap: {name: two}}]}`:                         "[secret/one]",
		`{containers: [{name: a, volumeMounts: [{name: v, mountPath: /v, subPath: a}]}], volumes: [{name: v, projected: {sources: [{configMap: {name: one}}, {secret: {name: two}}]}}]}`:  "[configmap/one secret/two]",
		`{imagePullSecrets: [{name: one}], containers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: two}}}]}`: "[]",
	} {
		var spec corev1.PodSpec
		if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(required(&spec)); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

func TestTemplateOfPatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind types.PatchType
		body string
		want string
	}{
		"of a Deployment":          {types.JSONPatchType, `[{"op":"replace","path":"/spec/template","value":` + templateV1 + `},{"op":"replace","path":"/metadata/annotations","value":{}}]`, "web:v1"},
		"of others":                {types.StrategicMergePatchType, `{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"app","image":"web:v1"}]}}}}`, "web:v1"},
		"none of a Deployment":     {types.JSONPatchType, `[]`, ""},
		"none of others":           {types.StrategicMergePatchType, `{"spec":{}}`, ""},
		"unreadable":               {types.JSONPatchType, `{`, ""},
		"unreadable, of others":    {types.StrategicMergePatchType, `[`, ""},
		"a template that is wrong": {types.JSONPatchType, `[{"op":"replace","path":"/spec/template","value":1}]`, ""},
	} {
		template, err := templateOfPatch(c.kind, []byte(c.body))
		if c.want == "" && err == nil || c.want != "" && (err != nil || template.Spec.Containers[0].Image != c.want) {
			t.Errorf("%s: %v, %v", name, template, err)
		}
	}
}
