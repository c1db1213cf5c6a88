//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// keepsPods has a policy refuse every deletion of a pod in the namespace. It gives what ends that.
func (s *space) keepsPods(pod string) (end func()) {
	s.Helper()
	admission := s.client.AdmissionregistrationV1()
	fail := admissionv1.Fail
	_, err := admission.ValidatingAdmissionPolicies().Create(s.Context(), &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail,
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Delete},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: "false", Message: "pods are kept for the audit"}},
		},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error {
		return admission.ValidatingAdmissionPolicies().Delete(ctx, s.name, metav1.DeleteOptions{})
	})
	bindings := admission.ValidatingAdmissionPolicyBindings()
	_, err = bindings.Create(s.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: s.name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}, MatchResources: s.itself(),
		},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error { return gone(bindings.Delete(ctx, s.name, metav1.DeleteOptions{})) })
	refuses := func() bool {
		err := s.client.CoreV1().Pods(s.name).Delete(s.Context(), pod, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), "kept for the audit")
	}
	s.until(refuses, func() string { return "pods can still be deleted" })
	return func() {
		s.Helper()
		must(s.TB, bindings.Delete(s.Context(), s.name, metav1.DeleteOptions{}))
		s.until(func() bool { return !refuses() }, func() string { return "pods can still not be deleted" })
	}
}

// Pods that their controller cannot delete are named, with who refuses, and undo gets past that.
func TestPodsThatCannotBeDeleted(t *testing.T) {
	t.Parallel()
	for kind, spec := range map[string]string{"StatefulSet": "podManagementPolicy: Parallel", "DaemonSet": "", "Deployment": ""} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/db"
			s.kubectl("create", "-f", s.file(manifestOf(kind, "db", "db:v1", spec)))
			s.plugin("status", object).ends(0)
			free := s.keepsPods(s.kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}"))
			s.kubectl("set", "image", object, "app=db:v2")
			p := s.plugin("status", object)
			p.tells("FailedDelete")
			s.plugin("explain", object).tells("pods are kept for the audit")
			s.plugin("status", object, "--timeout", "3s").ends(124, "; in its way: ", "FailedDelete", "pods are kept for the audit")
			s.plugin("undo", object).ends(0, "rolled back")
			free()
			p.ends(0)
		})
	}
}
