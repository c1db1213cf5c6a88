//go:build e2e

package e2e

import (
	"context"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mutatePods has the API server change the pods of the namespace by a policy, and returns once it does so to the probe.
func (s *space) mutatePods(policy *admissionv1.MutatingAdmissionPolicySpec, on []admissionv1.OperationType, probe *corev1.Pod,
	changed func(*corev1.Pod) bool,
) {
	s.Helper()
	rule := admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}
	s.mutate(policy, on, rule, func() (bool, error) {
		got, err := s.client.CoreV1().Pods(s.name).Create(s.Context(), probe.DeepCopy(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && changed(got), err
	})
}

// mutate has the API server change objects of the namespace by a policy, and returns once that works.
func (s *space) mutate(policy *admissionv1.MutatingAdmissionPolicySpec, on []admissionv1.OperationType, rule admissionv1.Rule,
	works func() (bool, error),
) {
	s.Helper()
	s.needs(admissionv1.SchemeGroupVersion.String(), "mutatingadmissionpolicies")
	named, api := metav1.ObjectMeta{Name: s.name}, s.client.AdmissionregistrationV1()
	policy.ReinvocationPolicy = admissionv1.NeverReinvocationPolicy
	policy.MatchConstraints = &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
		RuleWithOperations: admissionv1.RuleWithOperations{Operations: on, Rule: rule},
	}}}
	_, err := api.MutatingAdmissionPolicies().Create(s.Context(), &admissionv1.MutatingAdmissionPolicy{ObjectMeta: named, Spec: *policy}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error {
		return api.MutatingAdmissionPolicies().Delete(ctx, s.name, metav1.DeleteOptions{})
	})
	_, err = api.MutatingAdmissionPolicyBindings().Create(s.Context(), &admissionv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: named, Spec: admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: s.name, MatchResources: s.itself()},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error {
		return api.MutatingAdmissionPolicyBindings().Delete(ctx, s.name, metav1.DeleteOptions{})
	})
	s.until(func() bool {
		var changed bool
		changed, err = works()
		return changed
	}, func() string { return fmt.Sprintf("the policy does not work: %v", err) })
}

// refuse has the API server refuse requests about objects of the namespace for which the expression is false. It returns once
// refuses reports that this works. The function that it returns ends the policy, and returns once that is true as well.
func (s *space) refuse(on admissionv1.OperationType, rule admissionv1.Rule, validation admissionv1.Validation, refuses func() bool) (end func()) {
	s.Helper()
	fail, named, api := admissionv1.Fail, metav1.ObjectMeta{Name: s.name}, s.client.AdmissionregistrationV1()
	_, err := api.ValidatingAdmissionPolicies().Create(s.Context(), &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: named, Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail,
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{Operations: []admissionv1.OperationType{on}, Rule: rule},
			}}},
			Validations: []admissionv1.Validation{validation},
		},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error {
		return api.ValidatingAdmissionPolicies().Delete(ctx, s.name, metav1.DeleteOptions{})
	})
	bindings := api.ValidatingAdmissionPolicyBindings()
	_, err = bindings.Create(s.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: named, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: s.name, MatchResources: s.itself(), ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error { return gone(bindings.Delete(ctx, s.name, metav1.DeleteOptions{})) })
	s.until(refuses, func() string { return "the policy does not work: " + validation.Message })
	return func() {
		s.Helper()
		must(s.TB, bindings.Delete(s.Context(), s.name, metav1.DeleteOptions{}))
		s.until(func() bool { return !refuses() }, func() string { return "the policy stays: " + validation.Message })
	}
}

// itself is the namespace, as policies name it.
func (s *space) itself() *admissionv1.MatchResources {
	return &admissionv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.name}},
	}
}
