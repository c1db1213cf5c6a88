//go:build e2e

package e2e

import (
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// frozen has the API server refuse every write to the status of workloads in the namespace, so that no controller can say
// that it has observed a change. The function that it returns ends that.
func (s *space) frozen(kind, name string) (thaw func()) {
	s.Helper()
	rule := admissionv1.Rule{
		APIGroups: []string{"apps"}, APIVersions: []string{"v1"},
		Resources: []string{"deployments/status", "statefulsets/status", "daemonsets/status"},
	}
	never := admissionv1.Validation{Expression: "false", Message: "the status is frozen"}
	end := s.refuse(admissionv1.Update, rule, never, func() bool { return s.isFrozen(kind, name) })
	return func() {
		s.Helper()
		end()
		// The controller waits longer after each refusal, and gives up in the end; a change brings it back at once.
		s.patchMetadata(kind, name, `{"metadata":{"annotations":{"thawed":"yes"}}}`)
	}
}

// isFrozen tries a write to the status of a workload.
func (s *space) isFrozen(kind, name string) bool {
	s.Helper()
	err := s.workloads().Patch(types.MergePatchType).Namespace(s.name).Resource(kind+"s").Name(name).SubResource("status").
		VersionedParams(&metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}, metav1.ParameterCodec).
		Body([]byte(`{"status":{}}`)).Do(s.Context()).Error()
	if err != nil && !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		s.Fatal(err)
	}
	return err != nil
}

func (s *space) patchMetadata(kind, name, body string) {
	s.Helper()
	must(s.TB, s.workloads().Patch(types.MergePatchType).Namespace(s.name).Resource(kind+"s").Name(name).
		Body([]byte(body)).Do(s.Context()).Error())
}

// A change that the controller has not observed is told in kubectl's words, and waited for.
func TestUnobservedSideBySide(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"deployment":  "Waiting for deployment spec update to be observed...\n",
		"statefulset": "Waiting for statefulset spec update to be observed...\n",
		"daemonset":   "Waiting for daemon set spec update to be observed...\n",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := &pair{T: t, kind: kind, sides: [2]*side{newSide(t, kind, "rollout"), newSide(t, kind, "rollout-plus")}}
			p.take("make x")
			p.take("complete x")
			var thaw [2]func()
			for i, side := range p.sides {
				thaw[i] = side.frozen(kind, "x")
				side.must("set", "image", kind+"/x", "app=app:v2")
				side.create(kind, "y", "") // which the controller never saw
			}
			for _, name := range []string{"x", "y"} {
				p.compare("rollout status "+kind+"/"+name+" --watch=false", false)
				p.compare("~rollout status "+kind+"/"+name+" --timeout=1s", true)
			}
			ours := p.sides[1]
			if told := ours.run("rollout-plus", "status", kind+"/x", "--watch=false"); told.out != text {
				t.Errorf("tells %s", told)
			}
			if d := ours.plugin("status", kind+"/x", "--watch=false", "-o", "json").ends(0).documents()["x"]; d.Phase != "unobserved" || d.Message+"\n" != text {
				t.Errorf("got %+v", d)
			}
			ours.plugin("status", kind+"/x", "--watch=false", "--exit-code").ends(7)
			ours.plugin("undo", kind+"/x").ends(1, "was not rolled back: within 10s its controller has not made the revision of the newest pod template (generation 2)")
			var ends [2]string
			for i, side := range p.sides {
				watching := side.begin(side.rollout, "status", kind+"/x")
				watching.tells(text)
				thaw[i]()
				ends[i] = lastLine(watching.ends(0).out.String())
			}
			if ends[0] != ends[1] {
				t.Errorf("at its end kubectl tells %q, the plugin %q", ends[0], ends[1])
			}
		})
	}
}

// A controller that has not acted on a change for a while is named by who looks and by who waits. Whoever names a revision
// goes back to it all the same.
func TestAControllerThatIsSilent(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"deployment", "statefulset", "daemonset"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSide(t, kind, "rollout-plus")
			object := kind + "/x"
			s.create(kind, "x", "")
			s.must("rollout", "status", object, "--timeout=2m")
			s.must("set", "image", object, "app=app:v2")
			s.must("rollout", "status", object, "--timeout=2m")
			s.frozen(kind, "x")
			s.must("set", "image", object, "app=app:v3")
			const cause = "ControllerSilent: its controller has not acted on the last change for "
			s.plugin("status", object, "--timeout", "8s").ends(124, cause, "next: kubectl get leases -n kube-system kube-controller-manager")
			s.plugin("explain", object).ends(4, cause)
			s.plugin("undo", object, "--to-revision", "1").ends(0)
			if image := s.kubectl("get", object, "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "app:v1" {
				t.Errorf("it runs %s", image)
			}
		})
	}
}
