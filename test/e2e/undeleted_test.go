//go:build e2e

package e2e

import (
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// keepsPods has the API server refuse every deletion of a pod in the namespace until the returned function is called.
func (s *space) keepsPods(pod string) (end func()) {
	s.Helper()
	rule := admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}
	never := admissionv1.Validation{Expression: "false", Message: "pods are kept for the audit"}
	return s.refuse(admissionv1.Delete, rule, never, func() bool {
		err := s.client.CoreV1().Pods(s.name).Delete(s.Context(), pod, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), never.Message)
	})
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
