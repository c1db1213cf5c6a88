//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// refuseTemplates has the API server refuse new pod templates of Deployments, but for dry runs, until what it gives is
// called.
func (s *space) refuseTemplates() (end func()) {
	s.Helper()
	named, api := metav1.ObjectMeta{Name: s.name}, s.client.AdmissionregistrationV1()
	_, err := api.ValidatingAdmissionPolicies().Create(s.Context(), &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: named, Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}},
				},
			}}},
			Validations: []admissionv1.Validation{{
				Expression: "has(request.dryRun) && request.dryRun || object.spec.template == oldObject.spec.template", Message: "not at this hour",
			}},
		},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error {
		return api.ValidatingAdmissionPolicies().Delete(ctx, s.name, metav1.DeleteOptions{})
	})
	_, err = api.ValidatingAdmissionPolicyBindings().Create(s.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: named, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: s.name, MatchResources: s.itself(), ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.kubectl("create", "deployment", "probe", "--image=web:v1", "--replicas=0")
	probes := 0
	refused := func() bool {
		probes++
		patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"probed":"%d"}}}}}`, probes)
		_, err = s.client.AppsV1().Deployments(s.name).Patch(s.Context(), "probe", types.MergePatchType, patch, metav1.PatchOptions{})
		return err != nil
	}
	s.until(refused, func() string { return "the policy does not work" })
	return func() {
		s.Helper()
		must(s.TB, api.ValidatingAdmissionPolicyBindings().Delete(s.Context(), s.name, metav1.DeleteOptions{}))
		s.until(func() bool { return !refused() }, func() string { return "the policy stays" })
	}
}

// What others have edited is none the worse for it that a rollout cannot begin.
func TestEditWhoseRolloutCannotBegin(t *testing.T) {
	w := watched(t)
	end := w.refuseTemplates()
	w.recolor("red")
	w.plugin("restart", "--config", "settings").ends(1, "not at this hour")
	w.expectColor(t, "red")
	p := w.watching("settings")
	p.tells("Watching goes on; configmap/settings is looked at again in 5s")
	w.expectColor(t, "red")
	end()
	p.tells("deployment.apps/web rolled out (revision 3)")
	p.stopped()
	w.runsWith("red", "3")
}
