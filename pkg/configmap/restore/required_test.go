package restore

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
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
