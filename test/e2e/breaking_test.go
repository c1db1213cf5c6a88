//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

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
	policy := &admissionv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			FailurePolicy: &fail, ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
				},
			}}},
			MatchConditions: []admissionv1.MatchCondition{{Name: "version", Expression: expression}},
			Mutations: []admissionv1.Mutation{{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{
				Expression: `[JSONPatch{op: "replace", path: "/spec/containers/0/image", value: "app:crash"}]`,
			}}},
		},
	}
	binding := &admissionv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: s.name, MatchResources: &admissionv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.name}},
		}},
	}
	api := s.client.AdmissionregistrationV1()
	s.Cleanup(func() {
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = api.MutatingAdmissionPolicyBindings().Delete(ctx, s.name, metav1.DeleteOptions{}) // what matters is the next
		if err := api.MutatingAdmissionPolicies().Delete(ctx, s.name, metav1.DeleteOptions{}); err != nil {
			s.Errorf("the policy %s stays behind: %v", s.name, err)
		}
	})
	_, err := api.MutatingAdmissionPolicies().Create(s.Context(), policy, metav1.CreateOptions{})
	must(s.TB, err)
	_, err = api.MutatingAdmissionPolicyBindings().Create(s.Context(), binding, metav1.CreateOptions{})
	must(s.TB, err)
	probe := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "probe", Annotations: map[string]string{"probe": version}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app:v1"}}},
	}
	var got *corev1.Pod
	s.until(func() bool {
		got, err = s.client.CoreV1().Pods(s.name).Create(s.Context(), probe.DeepCopy(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && strings.HasSuffix(got.Spec.Containers[0].Image, ":crash")
	}, func() string { return fmt.Sprintf("the policy does not work: %v, %v", got, err) })
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
