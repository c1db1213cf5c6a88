//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// parts are what a manifest says besides the name and the selector, each in YAML's flow style.
type parts struct{ labels, annotations, spec, podLabels, pod string }

// file writes a manifest of a Deployment.
func (p parts) file(s *space, name string) string {
	s.Helper()
	file := filepath.Join(s.TempDir(), name+".yaml")
	must(s.TB, os.WriteFile(file, fmt.Appendf(nil, `apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s%[2]s%[3]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  %[4]s
  template:
    metadata: {labels: {app: %[1]s, %[5]s}}
    spec: {%[6]s}
`, name, given(", labels", p.labels), given(", annotations", p.annotations), strings.ReplaceAll(p.spec, "; ", "\n  "), p.podLabels, p.pod), 0o600))
	return file
}

// given is a field of a map, nothing where it has no value: an empty map would be owned, too.
func given(field, values string) string {
	if values == "" {
		return ""
	}
	return field + ": {" + values + "}"
}

// app is a container, with more of it.
func app(image, more string) string {
	return "containers: [{name: app, image: 'web:" + image + "', " + more + "}]"
}

// left is what a rollout or an apply has left of a Deployment: its spec and metadata, and who applied which fields.
func (s *space) left(name string) string {
	s.Helper()
	d, err := s.client.AppsV1().Deployments(s.name).Get(s.Context(), name, metav1.GetOptions{})
	must(s.TB, err)
	applied, others := fieldpath.NewSet(), []string{}
	for _, entry := range d.ManagedFields {
		switch {
		case entry.Operation == metav1.ManagedFieldsOperationApply && entry.Manager == "ci":
			must(s.TB, applied.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())))
		case entry.Subresource == "":
			others = append(others, entry.Manager)
		}
	}
	delete(d.Annotations, "deployment.kubernetes.io/revision")
	text, err := json.MarshalIndent(map[string]any{"spec": d.Spec, "labels": d.Labels, "annotations": d.Annotations, "others": others}, "", " ")
	must(s.TB, err)
	return strings.ReplaceAll(string(text)+"\napplied:\n"+applied.String(), name, "NAME")
}

// TestAManifestLeavesWhatAnApplyLeaves compares with kubectl apply --server-side of the same manifests.
func TestAManifestLeavesWhatAnApplyLeaves(t *testing.T) {
	t.Parallel()
	const probe = "readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 3}"
	const strict = "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"
	for name, test := range map[string]struct{ first, second parts }{
		"a probe is gone":       {parts{pod: app("v1", probe)}, parts{pod: app("v2", "")}},
		"a probe alone is gone": {parts{pod: app("v1", probe)}, parts{pod: app("v1", "")}},
		"another kind of probe": {parts{pod: app("v1", probe)}, parts{pod: app("v1", "readinessProbe: {tcpSocket: {port: 80}}")}},
		"another sort of volume": {
			parts{pod: "volumes: [{name: a, emptyDir: {}}], " + app("v1", "")},
			parts{pod: "volumes: [{name: a, configMap: {name: c, optional: true}}], " + app("v1", "")},
		},
		"a value from elsewhere": {
			parts{pod: app("v1", "env: [{name: A, value: '1'}, {name: B, value: '2'}]")},
			parts{pod: app("v1", "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]")},
		},
		"a value in place": {
			parts{pod: app("v1", "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]")},
			parts{pod: app("v1", "env: [{name: A, value: '1'}]")},
		},
		"other containers": {
			parts{pod: "initContainers: [{name: i, image: 'init:v1'}], containers: [{name: app, image: 'web:v1'}, {name: side, image: 'side:v1'}]"},
			parts{pod: "containers: [{name: app, image: 'web:v1'}, {name: other, image: 'side:v1'}]"},
		},
		"other ports": {
			parts{pod: app("v1", "ports: [{containerPort: 80}, {containerPort: 81, protocol: UDP}]")},
			parts{pod: app("v1", "ports: [{containerPort: 81, protocol: TCP}]")},
		},
		"a lifecycle hook": {
			parts{pod: app("v1", "lifecycle: {preStop: {sleep: {seconds: 1}}}, resources: {limits: {cpu: 1m}}")},
			parts{pod: app("v1", "lifecycle: {preStop: {exec: {command: ['true']}}}")},
		},
		"labels and annotations": {
			parts{labels: "a: b, c: d", annotations: "e: f", podLabels: "g: h", pod: app("v1", "")},
			parts{labels: "c: e", podLabels: "i: j", pod: app("v1", "")},
		},
		"the security context": {
			parts{pod: "securityContext: {runAsUser: 1, fsGroup: 2}, nodeSelector: {kubernetes.io/os: linux}, " + app("v1", "")},
			parts{pod: "securityContext: {runAsUser: 2}, " + app("v1", "")},
		},
		"the strategy stays": {parts{spec: strict, pod: app("v1", "")}, parts{spec: strict, pod: app("v2", "")}},
		"the strategy is gone": {
			parts{spec: strict + "; minReadySeconds: 1; progressDeadlineSeconds: 99", pod: app("v1", "")},
			parts{pod: app("v2", "")},
		},
		"the strategy comes": {
			parts{pod: app("v1", "")},
			parts{spec: strict + "; minReadySeconds: 1; progressDeadlineSeconds: 99", pod: app("v2", "")},
		},
		"nothing but the strategy": {
			parts{spec: strict, pod: app("v1", "")},
			parts{spec: "strategy: {rollingUpdate: {maxSurge: 2}}; revisionHistoryLimit: 3", pod: app("v1", "")},
		},
		"the strategy alone goes": {parts{spec: strict + "; minReadySeconds: 1", pod: app("v1", "")}, parts{pod: app("v1", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpace(t)
			for _, name := range []string{"alpha", "bravo"} {
				s.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", test.first.file(s, name))
			}
			s.kubectl("rollout", "status", "deployment/alpha")
			s.plugin("start", "-f", test.second.file(s, "alpha"), "--field-manager", "ci").ends(0)
			s.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", test.second.file(s, "bravo"))
			if got, want := s.left("alpha"), s.left("bravo"); got != want {
				t.Errorf("start -f leaves\n%s\nand an apply\n%s", got, want)
			}
			// A next apply, without force, has nothing against what is left.
			s.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", test.first.file(s, "alpha"))
		})
	}
}

// Who began with kubectl apply has no conflicts, and what that has set is gone when the manifest does not name it any more.
func TestAManifestAfterClientSideApply(t *testing.T) {
	for _, manager := range []string{"rollout-plus", "ci"} {
		t.Run(manager, func(t *testing.T) {
			s := newSpace(t)
			pod := app("v1", "env: [{name: A, value: '1'}], readinessProbe: {httpGet: {port: 80}}")
			first := parts{annotations: "e: f", spec: "replicas: 2", pod: pod}
			s.kubectl("apply", "-f", first.file(s, "web"))
			s.kubectl("rollout", "status", "deployment/web")
			get := func() *appsv1.Deployment {
				d, err := s.client.AppsV1().Deployments(s.name).Get(s.Context(), "web", metav1.GetOptions{})
				must(t, err)
				return d
			}
			before, second := get(), parts{spec: "replicas: 2", pod: app("v2", "")}.file(s, "web")
			for _, dryRun := range []string{"client", "server"} {
				s.plugin("start", "-f", second, "--field-manager", manager, "--dry-run="+dryRun).ends(0, "rollout planned")
				// What is only removed is seen, too.
				removing := parts{spec: "replicas: 2", pod: app("v1", "")}.file(s, "web")
				s.plugin("start", "-f", removing, "--field-manager", manager, "--dry-run="+dryRun).ends(0, "rollout planned")
			}
			if get().ResourceVersion != before.ResourceVersion {
				t.Error("a dry run wrote something")
			}
			s.plugin("start", "-f", second, "--field-manager", manager).ends(0, "rolled out (revision 2)")
			d := get()
			if c := d.Spec.Template.Spec.Containers[0]; c.Image != "web:v2" || c.Env != nil || c.ReadinessProbe != nil || d.Annotations["e"] != "" {
				t.Errorf("not what the manifest says: %+v, %v", c, d.Annotations)
			}
			for _, entry := range d.ManagedFields {
				if entry.Manager == "kubectl-client-side-apply" {
					t.Errorf("client-side apply still owns %s", entry.FieldsV1.GetRawString())
				}
			}
			remembers := d.Annotations[corev1.LastAppliedConfigAnnotation]
			if keeps := manager == "rollout-plus"; keeps != strings.Contains(remembers, "web:v2") || !keeps && remembers != "" {
				t.Errorf("kubectl apply remembers %q", remembers)
			}
			// The next ones are plain: neither needs a migration.
			s.kubectl("apply", "--server-side", "--field-manager", manager, "-f", second)
			s.plugin("start", "-f", first.file(s, "web"), "--field-manager", manager).ends(0, "rolled out (revision 3)")
		})
	}
}

// Our own earlier writes are no conflicts, whoever applies; those of others are, and nothing but them is named.
func TestConflictsOfAManifest(t *testing.T) {
	s := newSpace(t)
	first := parts{spec: "replicas: 1; minReadySeconds: 1", pod: app("v1", "")}
	s.kubectl("apply", "--server-side", "--field-manager", "helm", "-f", first.file(s, "web"))
	s.kubectl("rollout", "status", "deployment/web")
	second := parts{spec: "minReadySeconds: 1", pod: app("v2", "env: [{name: A, value: '1'}]")}.file(s, "web")
	s.plugin("start", "-f", second, "--field-manager", "ci").ends(1,
		`conflict with "helm": .spec.template.spec.containers[name="app"].image`, "--force-conflicts")
	for _, before := range []string{"rollout-plus", "kubectl-rollout-plus"} {
		s.plugin("start", "deployment/web", "--image", "web:"+before, "--env", "A="+before, "--field-manager", before).ends(0)
		s.plugin("start", "-f", second, "--field-manager", "ci", "--dry-run=server").ends(0, "rollout planned")
	}
	s.plugin("undo", "deployment/web", "--wait").ends(0)
	s.kubectl("set", "env", "deployment/web", "A=kubectl")
	s.kubectl("rollout", "status", "deployment/web")
	for _, flag := range []string{"--dry-run=client", "--dry-run=server", "--dry-run=none"} {
		p := s.plugin("start", "-f", second, "--field-manager", "ci", flag).ends(1,
			`1 conflict: conflict with "kubectl-set" using apps/v1`, `.env[name="A"].value`)
		if strings.Contains(p.output(), "image") || strings.Contains(p.output(), "rollout-plus\"") {
			t.Errorf("what is no conflict is named:\n%s", p.output())
		}
	}
	s.plugin("start", "-f", second, "--field-manager", "ci", "--force-conflicts").ends(0, "rolled out")
}

// An autoscaler's replicas stay, whatever a manifest says.
func TestAManifestDoesNotScaleForAnAutoscaler(t *testing.T) {
	s := newSpace(t)
	replicas := func(want int32, what string) {
		t.Helper()
		d, err := s.client.AppsV1().Deployments(s.name).Get(s.Context(), "web", metav1.GetOptions{})
		must(t, err)
		if *d.Spec.Replicas != want || d.Status.ReadyReplicas < want {
			t.Errorf("%s: %d replicas, %d ready, want %d", what, *d.Spec.Replicas, d.Status.ReadyReplicas, want)
		}
	}
	manifest := func(image, spec string) string { return parts{spec: spec, pod: app(image, "")}.file(s, "web") }
	s.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", manifest("v1", "replicas: 4"))
	s.kubectl("rollout", "status", "deployment/web")
	s.kubectl("autoscale", "deployment/web", "--min", "4", "--max", "9", "--name", "scaler")
	const stay = "replicas stay 4"
	for _, flag := range []string{"--dry-run=client", "--dry-run=server", "--dry-run=none"} {
		s.plugin("start", "-f", manifest("v2", "replicas: 2"), "--field-manager", "ci", flag).ends(0, stay, "not 2", `HorizontalPodAutoscaler "scaler"`)
		replicas(4, flag)
	}
	s.plugin("check", "-f", manifest("v3", "replicas: 2"), "--field-manager", "ci").ends(0, "WARN Manifest", stay, "not 2", "OK   ImageReference")
	s.plugin("check", "-f", manifest("in valid", "replicas: 2"), "--field-manager", "ci").ends(4, "FAIL ImageReference", stay)
	s.plugin("start", "-f", manifest("v2", "replicas: 2"), "--field-manager", "ci").ends(0, stay, "unchanged")
	s.plugin("start", "-f", manifest("v3", "replicas: 2"), "--field-manager", "ci", "--force-conflicts").ends(0, stay, "lowest ready 3 (floor 3)")
	replicas(4, "with an autoscaler")
	s.kubectl("delete", "hpa", "scaler")
	s.plugin("start", "-f", manifest("v4", "replicas: 4"), "--field-manager", "ci").ends(0)
	s.kubectl("scale", "deployment/web", "--replicas", "5")
	s.kubectl("rollout", "status", "deployment/web")
	s.plugin("start", "-f", manifest("v5", "replicas: 2"), "--field-manager", "ci", "--force-conflicts").ends(0,
		"replicas stay 5", "kubectl scale deployment/web")
	replicas(5, "scaled by hand")
	// A manifest that does not name them any more leaves them, too.
	s.kubectl("scale", "deployment/web", "--replicas", "3")
	s.plugin("start", "-f", manifest("v5", "replicas: 3"), "--field-manager", "ci").ends(0)
	s.plugin("start", "-f", manifest("v6", ""), "--field-manager", "ci").ends(0)
	replicas(3, "not named any more")
	s.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", manifest("v6", ""))
	replicas(3, "not named in the next apply")
}

// Without an autoscaler the manifest's replicas count, and the limits hold on the way.
func TestAManifestScales(t *testing.T) {
	s := newSpace(t)
	const strict = "; strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"
	manifest := func(image, spec string) string { return parts{spec: spec, pod: app(image, "")}.file(s, "web") }
	s.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", manifest("v1", "replicas: 5"+strict))
	s.kubectl("rollout", "status", "deployment/web")
	s.plugin("start", "-f", manifest("v2", "replicas: 3"+strict), "--field-manager", "ci").ends(0, "3 replicas in", "lowest ready 3 (floor 3)")
	const loose = "; strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 2}}"
	s.plugin("start", "-f", manifest("v3", "replicas: 4"+loose), "--field-manager", "ci").ends(0, "4 replicas in")
	s.plugin("start", "-f", manifest("v3", "replicas: 0"), "--field-manager", "ci").ends(0, "unchanged")
	s.plugin("start", "-f", manifest("v4", "replicas: 2"+strict), "--field-manager", "ci").ends(0)
	s.plugin("start", "-f", manifest("v5", "replicas: 0"), "--field-manager", "ci").ends(0)
}
