package attach

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// TestDetach takes the ConfigMap web, its version and the Secret web out of templates, and nothing else.
func TestDetach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after string
		removed       int
	}{
		"nothing": {"{containers: [{name: app, envFrom: [{configMapRef: {name: o}}]}]}", "{containers: [{name: app, envFrom: [{configMapRef: {name: o}}]}]}", 0},
		"envFrom": {
			"{containers: [{name: app, envFrom: [{configMapRef: {name: web}}, {prefix: P_, configMapRef: {name: o}}, {secretRef: {name: web}}]}]}",
			"{containers: [{name: app, envFrom: [{prefix: P_, configMapRef: {name: o}}]}]}", 2,
		},
		"all there is": {"{containers: [{name: app, envFrom: [{configMapRef: {name: web-v}}]}]}", "{containers: [{name: app}]}", 1},
		"env": {
			"{containers: [{name: app, env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}, {name: B, value: b}, " +
				"{name: C, valueFrom: {secretKeyRef: {name: web, key: a}}}, {name: D, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}",
			"{containers: [{name: app, env: [{name: B, value: b}, {name: D, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}", 2,
		},
		"init containers and sidecars": {
			"{initContainers: [{name: i, envFrom: [{configMapRef: {name: web}}]}, {name: s, restartPolicy: Always, envFrom: [{configMapRef: {name: web-v}}]}]}",
			"{initContainers: [{name: i}, {name: s, restartPolicy: Always}]}", 2,
		},
		"a volume, with all its mounts": {
			"{volumes: [{name: v, configMap: {name: web}}, {name: w, emptyDir: {}}], containers: [{name: app, volumeMounts: [{name: v, mountPath: /v}, " +
				"{name: w, mountPath: /w}, {name: v, mountPath: /x, subPath: a}]}, {name: side, volumeMounts: [{name: v, mountPath: /v}]}]}",
			"{volumes: [{name: w, emptyDir: {}}], containers: [{name: app, volumeMounts: [{name: w, mountPath: /w}]}, {name: side}]}", 1,
		},
		"a Secret's volume": {"{volumes: [{name: v, secret: {secretName: web}}]}", "{}", 1},
		"one source of several": {
			"{volumes: [{name: v, projected: {sources: [{configMap: {name: web}}, {secret: {name: o}}]}}], containers: [{name: app, volumeMounts: [{name: v, mountPath: /v}]}]}",
			"{volumes: [{name: v, projected: {sources: [{secret: {name: o}}]}}], containers: [{name: app, volumeMounts: [{name: v, mountPath: /v}]}]}", 1,
		},
		"all sources": {
			"{volumes: [{name: v, projected: {sources: [{configMap: {name: web}}, {secret: {name: web}}]}}], containers: [{name: app, volumeMounts: [{name: v, mountPath: /v}]}]}",
			"{containers: [{name: app}]}", 2,
		},
		"no sources of old":  {"{volumes: [{name: v, projected: {}}]}", "{volumes: [{name: v, projected: {}}]}", 0},
		"image pull secrets": {"{imagePullSecrets: [{name: web}]}", "{imagePullSecrets: [{name: web}]}", 0},
		"of drivers": {
			"{volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: web}}}]}", "{volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: web}}}]}", 0,
		},
		"without a name": {"{containers: [{name: app, envFrom: [{configMapRef: {}}]}]}", "{containers: [{name: app, envFrom: [{configMapRef: {}}]}]}", 0},
	} {
		var template, after map[string]any
		if err := yaml.Unmarshal([]byte("{spec: "+c.before+"}"), &template); err != nil {
			t.Fatal(err)
		}
		removed := Remove(template, func(object configmap.Object) bool {
			return slices.Contains([]string{"configmap/web", "configmap/web-v", "secret/web"}, object.String())
		})
		got, _ := yaml.Marshal(template)
		if err := yaml.Unmarshal([]byte("{spec: "+c.after+"}"), &after); err != nil {
			t.Fatal(err)
		}
		if want, _ := yaml.Marshal(after); string(got) != string(want) || removed != c.removed {
			t.Errorf("%s: removed %d, got\n%s", name, removed, got)
		}
	}
}

// TestAttachTwice refuses what a container has already, be it from a version.
func TestAttachTwice(t *testing.T) {
	t.Parallel()
	wire := Wire{Source: configmap.FromEnvFrom, Head: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}}
	for from, refused := range map[string]bool{
		"{configMapRef: {name: web}}":              true,
		"{configMapRef: {name: web-m8mt92gg65}}":   true,
		"{prefix: P_, configMapRef: {name: web}}":  false,
		"{secretRef: {name: web}}":                 false,
		"{configMapRef: {name: web-b}}":            false,
		"{configMapRef: {name: web-b-m8mt92gg65}}": false,
	} {
		var template map[string]any
		if err := yaml.Unmarshal([]byte("{spec: {containers: [{name: app, envFrom: ["+from+"]}]}}"), &template); err != nil {
			t.Fatal(err)
		}
		err := Add(template, "", []Wire{wire})
		if refused != (err != nil && strings.Contains(err.Error(), "has the variables of configmap/web already")) {
			t.Errorf("%s: %v", from, err)
		}
	}
	if err := Add(map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "app"}}}}, "", []Wire{wire, wire}); err == nil {
		t.Error("it is attached twice at once")
	}
}
