//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// refuseTemplates has the API server refuse new pod templates of Deployments, except in dry runs, until the returned function
// is called.
func (s *space) refuseTemplates() (end func()) {
	s.Helper()
	s.kubectl("create", "deployment", "probe", "--image=web:v1", "--replicas=0")
	rule := admissionv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}}
	unchanged := admissionv1.Validation{
		Expression: "has(request.dryRun) && request.dryRun || object.spec.template == oldObject.spec.template", Message: "not at this hour",
	}
	probes := 0
	return s.refuse(admissionv1.Update, rule, unchanged, func() bool {
		probes++
		patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"probed":"%d"}}}}}`, probes)
		_, err := s.client.AppsV1().Deployments(s.name).Patch(s.Context(), "probe", types.MergePatchType, patch, metav1.PatchOptions{})
		return err != nil
	})
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
