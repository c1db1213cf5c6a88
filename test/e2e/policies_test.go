//go:build e2e

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mutateApps has a policy change objects of a kind in the group apps by a JSON patch, where a condition holds.
func (w *web) mutateApps(resource string, on admissionv1.OperationType, condition, patch string, works func() (bool, error)) {
	w.Helper()
	fail := admissionv1.Fail
	w.mutate(&admissionv1.MutatingAdmissionPolicySpec{
		FailurePolicy:   &fail,
		MatchConditions: []admissionv1.MatchCondition{{Name: "condition", Expression: condition}},
		Mutations:       []admissionv1.Mutation{{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{Expression: patch}}},
	}, []admissionv1.OperationType{on}, admissionv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{resource}}, works)
}

// tries returns what the API server would make of a merge patch to the Deployment.
func (w *web) tries(patch string) (*appsv1.Deployment, error) {
	w.Helper()
	return w.client.AppsV1().Deployments(w.name).Patch(w.Context(), "web", types.MergePatchType, []byte(patch),
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
}

const (
	hasRecord     = `has(object.metadata.annotations) && "rollout-plus/rollout" in object.metadata.annotations`
	withoutRecord = `[JSONPatch{op: "remove", path: "/metadata/annotations/" + jsonpatch.escapeKey("rollout-plus/rollout")}]`
	withOldImage  = `[JSONPatch{op: "replace", path: "/spec/template/spec/containers/0/image", value: "web:v1"}]`
	withMirror    = `[JSONPatch{op: "replace", path: "/spec/template/spec/containers/0/image",
		value: "mirror.example.com/" + object.spec.template.spec.containers[0].image}]`
	withToleration = `[JSONPatch{op: "add", path: "/spec/template/spec/tolerations",
		value: [Object.spec.template.spec.tolerations{key: "spot", operator: "Exists"}]}]`
)

// withoutRecords is a policy that removes the record from every write.
func (w *web) withoutRecords() {
	w.Helper()
	w.mutateApps("deployments", admissionv1.Update, hasRecord, withoutRecord, func() (bool, error) {
		d, err := w.tries(`{"metadata":{"annotations":{"rollout-plus/rollout":"probe"}}}`)
		return err == nil && d.Annotations["rollout-plus/rollout"] == "", err
	})
}

// A policy that takes from a write what a rollout stands on is found out before anything is written.
func TestAPolicyThatRemovesTheRecord(t *testing.T) {
	w := newWeb(t)
	w.withoutRecords()
	for _, dryRun := range []string{"server", "none"} {
		w.start("web:v2", "--dry-run="+dryRun).ends(1, "metadata.annotations[rollout-plus/rollout] was removed", "admission policy or webhook",
			"kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations")
	}
	if d := w.get(); d.Generation != w.own.Generation {
		t.Errorf("it has been written, generation %d", d.Generation)
	}
	w.runs("web:v1")
}

// One that comes in mid-rollout sends it back.
func TestAPolicyThatComesInMidRollout(t *testing.T) {
	w := newWeb(t, replicas(4))
	p := w.start("web:v2", "--steps", "1", "--hold", "8s")
	p.tells("watched for 8s")
	w.withoutRecords()
	p.ends(5, "metadata.annotations[rollout-plus/rollout] was removed", "admission policy or webhook")
	w.await("the old version is complete", func(m *snapshot) bool { return m.image() == "web:v1" && m.complete() })
	w.runs("web:v1")
	w.keeps("1", "1")
}

// A policy that sets the image back is named. One that only writes it in another form is none of a rollout's business.
func TestAPolicyForImages(t *testing.T) {
	w := newWeb(t)
	w.mutateApps("deployments", admissionv1.Update, `object.spec.template.spec.containers[0].image == "web:v2"`, withOldImage, func() (bool, error) {
		d, err := w.tries(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:v2"}]}}}}`)
		return err == nil && d.Spec.Template.Spec.Containers[0].Image == "web:v1", err
	})
	w.start("web:v2").ends(1, `spec.template.spec.containers[app].image was stored as "web:v1" instead of "web:v2"`, "nothing was written")
	w.runs("web:v1")
}

func TestAPolicyForRegistries(t *testing.T) {
	w := newWeb(t)
	const isElsewhere = `!object.spec.template.spec.containers[0].image.startsWith("mirror.example.com/")`
	w.mutateApps("deployments", admissionv1.Update, isElsewhere, withMirror, func() (bool, error) {
		d, err := w.tries(`{"metadata":{"labels":{"probe":"yes"}}}`)
		return err == nil && strings.HasPrefix(d.Spec.Template.Spec.Containers[0].Image, "mirror.example.com/"), err
	})
	w.start("web:v2").ends(0, "rolled out")
	w.runs("mirror.example.com/web:v2")
}

// The controller does not find a ReplicaSet again that a policy has changed, and makes more and more of them.
func TestAPolicyForReplicaSets(t *testing.T) {
	w := newWeb(t)
	labels := map[string]string{"app": "web"}
	probe := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "probe", Labels: labels},
		Spec:       appsv1.ReplicaSetSpec{Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: w.own.Spec.Template},
	}
	w.mutateApps("replicasets", admissionv1.Create, "true", withToleration, func() (bool, error) {
		rs, err := w.client.AppsV1().ReplicaSets(w.name).Create(w.Context(), probe.DeepCopy(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && len(rs.Spec.Template.Spec.Tolerations) > 0, err
	})
	w.start("web:v2", "--on-failure", "hold").ends(5, "HashCollision", "spec.template.spec.tolerations", "does not find it again")
	w.await("the old version is complete", func(m *snapshot) bool { return m.image() == "web:v1" && m.complete() })
	w.restored()
	// Without the plugin: explain and status name it, too.
	w.kubectl("set", "image", "deployment/web", "app=web:v3")
	w.await("the controller counts collisions", func(m *snapshot) bool { return m.deployment.Status.CollisionCount != nil && m.image() == "web:v3" })
	w.until(func() bool { return w.plugin("explain", "deployment/web").code() == 4 }, func() string { return "explain finds nothing" })
	w.plugin("status", "deployment/web").ends(4, "HashCollision", "spec.template.spec.tolerations")
	w.kubectl("rollout", "undo", "deployment/web", "--to-revision", w.revisionOf("web:v1"))
}

// revisionOf returns the revision of the ReplicaSet with an image.
func (w *web) revisionOf(image string) string {
	w.Helper()
	list, err := w.client.AppsV1().ReplicaSets(w.name).List(w.Context(), metav1.ListOptions{})
	must(w.TB, err)
	for _, rs := range list.Items {
		if rs.Spec.Template.Spec.Containers[0].Image == image {
			return rs.Annotations["deployment.kubernetes.io/revision"]
		}
	}
	w.Fatalf("no ReplicaSet has image %s", image)
	return ""
}

// Somebody who insists on a strategy is named, and the rollout stands where it is; whoever resumes it goes on.
func TestAStrategyThatOthersInsistOn(t *testing.T) {
	w := newWeb(t, replicas(10), strategy("1", "0"))
	p := w.start("web:v2", "--steps", "1", "--hold", "1h")
	p.tells("watched for 1h")
	theirs := `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":3,"maxUnavailable":2}}}}`
	w.kubectl("patch", "deployment/web", "--field-manager", "gitops", "-p", theirs)
	p.tells("the strategy was changed by gitops at ")
	p.tells("to maxSurge 3, maxUnavailable 2; the limits of the step are back")
	w.await("the gate is back", func(m *snapshot) bool { return m.deployment.Spec.Strategy.RollingUpdate.MaxSurge.IntValue() != 3 })
	w.kubectl("patch", "deployment/web", "--field-manager", "gitops", "-p", theirs)
	p.ends(4, "by gitops at ", "2 times by now", "maxSurge 3, maxUnavailable 2", "resume deployment/web")
	w.await("it stands", func(m *snapshot) bool { return m.isStable() })
	if now := w.now(); now.ready("web:v1") < 8 || now.total("web:v2") > 5 {
		t.Errorf("more pods went than the strategy of others lets go: %s", &now)
	}
	p = w.plugin("resume", "deployment/web")
	p.tells("watched for 1h")
	p.signal(syscall.SIGINT)
	p.ends(130)
	w.plugin("abort", "deployment/web").ends(0)
	w.own.Spec.Strategy.RollingUpdate.MaxSurge.IntVal, w.own.Spec.Strategy.RollingUpdate.MaxUnavailable.IntVal = 3, 2
	w.runs("web:v1")
}

// Whoever applies the manifest is named before the first write.
func TestWhoAppliesTheManifest(t *testing.T) {
	w := newWeb(t)
	w.kubectl("label", "deployment/web", "kustomize.toolkit.fluxcd.io/name=apps", "kustomize.toolkit.fluxcd.io/namespace=flux-system")
	const warning = "is applied by Flux (kustomization apps): its next sync"
	w.start("web:v2", "--dry-run=client").ends(0, warning)
	w.start("web:v2").ends(0, warning)
	p := w.plugin("undo", "deployment/web", "--wait")
	p.ends(0, warning)
	if told := strings.Count(p.output(), warning); told != 1 {
		t.Errorf("it is told %d times", told)
	}
	w.kubectl("label", "deployment/web", "kustomize.toolkit.fluxcd.io/name-", "kustomize.toolkit.fluxcd.io/namespace-")
	w.plugin("restart", "deployment/web", "--wait").ends(0)
}

// A Deployment whose record is lost can be freed by the command that every message about it names.
func TestAGateWithoutARecord(t *testing.T) {
	w := newWeb(t)
	w.kubectl("patch", "deployment/web", "-p", `{"spec":{"minReadySeconds":2147483646,"progressDeadlineSeconds":2147483647}}`)
	p := w.start("web:v2")
	p.ends(1, "annotation rollout-plus/rollout is gone", "frees it")
	line := regexp.MustCompile(`'(kubectl patch [^']*)'`).FindStringSubmatch(p.output())
	if line == nil {
		t.Fatal("no command is named")
	}
	paste := exec.CommandContext(w.Context(), "sh", "-c", line[1])
	paste.Env = w.environment()
	if out, err := paste.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line[1], err, out)
	}
	w.start("web:v2").ends(0)
}
