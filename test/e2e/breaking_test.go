//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// versionOfConfig is the name of the version of the ConfigMap settings that has these values, as kubectl names it.
func (s *space) versionOfConfig(literals ...string) string {
	s.Helper()
	args := []string{"create", "configmap", "settings", "--append-hash", "--dry-run=client", "-o", "jsonpath={.metadata.name}"}
	for _, literal := range literals {
		args = append(args, "--from-literal="+literal)
	}
	return s.kubectl(args...)
}

// breaks has pods crash that run with this version of the ConfigMap settings, referenced or recorded: the simulated nodes
// know nothing of what is in a ConfigMap, so the API server gives these pods an image that crashes there.
func (s *space) breaks(version string) {
	s.Helper()
	fail := admissionv1.Fail
	expression := fmt.Sprintf(`object.spec.containers.exists(c, has(c.env) && c.env.exists(e, has(e.valueFrom) && has(e.valueFrom.configMapKeyRef) &&
		e.valueFrom.configMapKeyRef.name == %[1]q)) ||
		has(object.metadata.annotations) && object.metadata.annotations.exists(k, object.metadata.annotations[k] == %[1]q)`, version)
	s.mutatePods(&admissionv1.MutatingAdmissionPolicySpec{
		FailurePolicy:   &fail,
		MatchConditions: []admissionv1.MatchCondition{{Name: "version", Expression: expression}},
		Mutations: []admissionv1.Mutation{{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{
			Expression: `[JSONPatch{op: "replace", path: "/spec/containers/0/image", value: "app:crash"}]`,
		}}},
	}, []admissionv1.OperationType{admissionv1.Create}, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "probe", Annotations: map[string]string{"probe": version}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app:v1"}}},
	}, func(pod *corev1.Pod) bool { return strings.HasSuffix(pod.Spec.Containers[0].Image, ":crash") })
}

// color is what the ConfigMap settings says now.
func (s *space) color() string {
	s.Helper()
	return s.kubectl("get", "configmap", "settings", "-o", "jsonpath={.data.color}")
}

// expectColor expects the ConfigMap settings to hold this.
func (s *space) expectColor(t testing.TB, want string) {
	t.Helper()
	if got := s.color(); got != want {
		t.Errorf("configmap/settings holds %q, not %q", got, want)
	}
}
