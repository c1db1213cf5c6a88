package attach

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// everywhere names the ConfigMap web and the Secret web in every place that there is.
const everywhere = `
metadata: {labels: {app: web}}
spec:
  imagePullSecrets: [{name: web}]
  unknownField: {configMap: {name: web}}
  initContainers:
  - name: once
    envFrom: [{configMapRef: {name: web}, prefix: A_}, {secretRef: {name: web}}, {configMapRef: {name: other}}]
  - name: sidecar
    restartPolicy: Always
    env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a, optional: true}}}]
  containers:
  - name: app
    env:
    - {name: A, value: web}
    - {name: B, valueFrom: {secretKeyRef: {name: web, key: b}}}
    - {name: C, valueFrom: {configMapKeyRef: {name: other, key: b}}}
    - {name: D, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    newField: 1
  volumes:
  - {name: cm, configMap: {name: web, items: [{key: a, path: b}]}}
  - {name: secret, secret: {secretName: web}}
  - {name: none, emptyDir: {}}
  - name: projected
    projected: {sources: [{configMap: {name: web}}, {secret: {name: web}}, {serviceAccountToken: {path: x}}]}
  - {name: driver, csi: {driver: d, nodePublishSecretRef: {name: web}}}
`

const renamed = `
metadata: {labels: {app: web}}
spec:
  imagePullSecrets: [{name: web}]
  unknownField: {configMap: {name: web}}
  initContainers:
  - name: once
    envFrom: [{configMapRef: {name: web-v1}, prefix: A_}, {secretRef: {name: web-s1}}, {configMapRef: {name: other}}]
  - name: sidecar
    restartPolicy: Always
    env: [{name: A, valueFrom: {configMapKeyRef: {name: web-v1, key: a, optional: true}}}]
  containers:
  - name: app
    env:
    - {name: A, value: web}
    - {name: B, valueFrom: {secretKeyRef: {name: web-s1, key: b}}}
    - {name: C, valueFrom: {configMapKeyRef: {name: other, key: b}}}
    - {name: D, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    newField: 1
  volumes:
  - {name: cm, configMap: {name: web-v1, items: [{key: a, path: b}]}}
  - {name: secret, secret: {secretName: web-s1}}
  - {name: none, emptyDir: {}}
  - name: projected
    projected: {sources: [{configMap: {name: web-v1}}, {secret: {name: web-s1}}, {serviceAccountToken: {path: x}}]}
  - {name: driver, csi: {driver: d, nodePublishSecretRef: {name: web}}}
`

func TestRename(t *testing.T) {
	t.Parallel()
	var template, want map[string]any
	for text, into := range map[string]*map[string]any{everywhere: &template, renamed: &want} {
		if err := yaml.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	to := map[configmap.Object]string{{Kind: configmap.ConfigMap, Name: "web"}: "web-v1", {Kind: configmap.Secret, Name: "web"}: "web-s1"}
	name := func(o configmap.Object) (string, bool) { fresh, found := to[o]; return fresh, found }
	if changed := Rename(template, name); changed != 8 {
		t.Errorf("%d references are changed, not 8", changed)
	}
	got, err := yaml.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	expected, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(expected) {
		t.Errorf("got\n%s\nnot\n%s", got, expected)
	}
	if changed := Rename(template, name); changed != 0 {
		t.Errorf("%d references are changed twice", changed)
	}
	if changed := Rename(map[string]any{"spec": map[string]any{"containers": "nonsense", "volumes": nil}}, name); changed != 0 {
		t.Error("nonsense is changed")
	}
}
