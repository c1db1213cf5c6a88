package podtemplate

import (
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"
)

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ stored, written string }{
		"nothing": {"{}", "{}"},
		"least": {`
metadata: {creationTimestamp: null, labels: {app: web, pod-template-hash: abc, controller-revision-hash: def}}
spec:
  restartPolicy: Always
  terminationGracePeriodSeconds: 30
  dnsPolicy: ClusterFirst
  schedulerName: default-scheduler
  securityContext: {}
  containers:
  - {name: app, image: "web:v1", imagePullPolicy: IfNotPresent, resources: {}, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}
`, `{metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "web:v1"}]}}`},
		"other than the defaults": {`
metadata: {annotations: {kubectl.kubernetes.io/restartedAt: "2026-01-01T00:00:00Z"}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 31
  dnsPolicy: Default
  schedulerName: mine
  securityContext: {runAsUser: 1}
  unknown: {creationTimestamp: null, empty: {}}
  containers:
  - {name: app, image: "web:v1", imagePullPolicy: Always, resources: {limits: {cpu: 1}}, terminationMessagePath: /tmp/x, unknown: [{a: {}}]}
`, `
metadata: {annotations: {kubectl.kubernetes.io/restartedAt: "2026-01-01T00:00:00Z"}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 31
  dnsPolicy: Default
  schedulerName: mine
  securityContext: {runAsUser: 1}
  unknown: {creationTimestamp: null, empty: {}}
  containers:
  - {name: app, image: "web:v1", imagePullPolicy: Always, resources: {limits: {cpu: 1}}, terminationMessagePath: /tmp/x, unknown: [{a: {}}]}
`},
		"service accounts": {
			`{spec: {serviceAccount: a, serviceAccountName: a}}`, `{spec: {serviceAccountName: a}}`,
		},
		"an alias of another account": {
			`{spec: {serviceAccount: a, serviceAccountName: b}}`, `{spec: {serviceAccount: a, serviceAccountName: b}}`,
		},
		"host ports": {
			`{spec: {hostNetwork: true, containers: [{name: a, ports: [{containerPort: 80, hostPort: 80, protocol: TCP}, {containerPort: 81, hostPort: 82, protocol: UDP}]}]}}`,
			`{spec: {hostNetwork: true, containers: [{name: a, ports: [{containerPort: 80}, {containerPort: 81, hostPort: 82, protocol: UDP}]}]}}`,
		},
		"host ports without the host's network": {
			`{spec: {containers: [{name: a, ports: [{containerPort: 80, hostPort: 80}]}]}}`, `{spec: {containers: [{name: a, ports: [{containerPort: 80, hostPort: 80}]}]}}`,
		},
		"probes and hooks": {`
spec:
  initContainers:
  - name: i
    startupProbe: {exec: {command: [x]}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}
  containers:
  - name: a
    livenessProbe: {httpGet: {path: /, port: 80, scheme: HTTP}, timeoutSeconds: 2, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}
    readinessProbe: {grpc: {port: 80, service: ""}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3, initialDelaySeconds: 5}
    lifecycle: {preStop: {httpGet: {path: /x, port: 80, scheme: HTTPS}}, postStart: {httpGet: {path: /, port: 80, scheme: HTTP}}}
`, `
spec:
  initContainers: [{name: i, startupProbe: {exec: {command: [x]}}}]
  containers:
  - name: a
    livenessProbe: {httpGet: {port: 80}, timeoutSeconds: 2}
    readinessProbe: {grpc: {port: 80}, initialDelaySeconds: 5}
    lifecycle: {preStop: {httpGet: {path: /x, port: 80, scheme: HTTPS}}, postStart: {httpGet: {port: 80}}}
`},
		"nothing where something was expected": {
			`{metadata: null, spec: {containers: [null, 3, {name: a, ports: null, env: {a: b}}], volumes: x, securityContext: null}}`,
			`{spec: {containers: [null, 3, {name: a, ports: null, env: {a: b}}], volumes: x}}`,
		},
	} {
		stored := parsed(t, c.stored)
		if got, want := Written(stored), parsed(t, c.written); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", name, got, want)
		}
		if !reflect.DeepEqual(stored, parsed(t, c.stored)) {
			t.Errorf("%s: the argument was changed", name)
		}
	}
}

// TestWrittenNumbers covers what other decoders make of numbers.
func TestWrittenNumbers(t *testing.T) {
	t.Parallel()
	for _, number := range []any{int64(30), int32(30), 30, 30.0} {
		got := Written(map[string]any{"spec": map[string]any{"terminationGracePeriodSeconds": number}})
		if want := map[string]any{"spec": map[string]any{}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%T: %v", number, got)
		}
	}
}

func TestDefaultPullPolicy(t *testing.T) {
	t.Parallel()
	const digest = "@sha256:0123"
	for image, want := range map[string]string{
		"web": "Always", "web:latest": "Always", "host:5000/web": "Always", "host:5000/web:latest": "Always", "web:latest" + digest: "Always",
		"web:v1": "IfNotPresent", "host:5000/web:v1": "IfNotPresent", "web" + digest: "IfNotPresent", "host:5000/a/web" + digest: "IfNotPresent",
	} {
		if got := defaultPullPolicy(image); got != want {
			t.Errorf("%s: %s", image, got)
		}
	}
}
