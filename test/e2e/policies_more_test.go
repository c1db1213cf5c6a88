//go:build e2e

package e2e

import (
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const imageStored = `spec.template.spec.containers[app].image was stored as "web:v2" instead of "web:v1"`

// A policy that sets the image of an undo back is named, and nothing is written.
func TestAPolicyForUndo(t *testing.T) {
	w := newWeb(t)
	w.kubectl("set", "image", "deployment/web", "app=web:v2")
	w.kubectl("rollout", "status", "deployment/web")
	const withNewImage = `[JSONPatch{op: "replace", path: "/spec/template/spec/containers/0/image", value: "web:v2"}]`
	w.mutateApps("deployments", admissionv1.Update, `object.spec.template.spec.containers[0].image == "web:v1"`, withNewImage, func() (bool, error) {
		d, err := w.tries(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:v1"}]}}}}`)
		return err == nil && d.Spec.Template.Spec.Containers[0].Image == "web:v2", err
	})
	before := w.get().Generation
	for _, args := range [][]string{nil, {"--wait"}, {"--dry-run=server"}, {"--to-revision", "1"}} {
		w.plugin(append([]string{"undo", "deployment/web"}, args...)...).ends(1, imageStored, "nothing was written", "admission policy or webhook")
	}
	if now := w.get(); now.Generation != before {
		t.Errorf("it has been written, generation %d instead of %d", now.Generation, before)
	}
}

// So is one that makes nothing of a restart or a pause.
func TestAPolicyForRestarts(t *testing.T) {
	w := newWeb(t)
	const without = `(has(object.spec.template.metadata.annotations) ? [JSONPatch{op: "remove", path: "/spec/template/metadata/annotations"}] : []) +
		(has(object.spec.paused) && object.spec.paused ? [JSONPatch{op: "replace", path: "/spec/paused", value: false}] : [])`
	w.mutateApps("deployments", admissionv1.Update, "true", without, func() (bool, error) {
		d, err := w.tries(`{"spec":{"paused":true}}`)
		return err == nil && !d.Spec.Paused, err
	})
	w.plugin("restart", "deployment/web").ends(1, "kubectl.kubernetes.io/restartedAt] was removed", "nothing was changed")
	w.plugin("pause", "deployment/web").ends(1, "spec.paused was removed", "nothing was changed")
}

// A policy that changes what is created is told, since the new object is there with it.
func TestAPolicyForCreation(t *testing.T) {
	w := &web{space: newSpace(t)}
	created := func() (bool, error) {
		labels := map[string]string{"app": "probe"}
		probe := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "probe"}, Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}}}
		probe.Spec.Template = corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:v1"}}},
		}
		d, err := w.client.AppsV1().Deployments(w.name).Create(t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && strings.HasPrefix(d.Spec.Template.Spec.Containers[0].Image, "mirror.example.com/"), err
	}
	w.mutateApps("deployments", admissionv1.Create, "true", withMirror, created)
	const told = `warning: deployment "web": an admission policy or webhook changes what is written: ` +
		`spec.template.spec.containers[web].image was stored as "mirror.example.com/web:v1" instead of "web:v1"`
	for _, dryRun := range []string{"server", "none"} {
		w.plugin("create", "deployment", "web", "--image", "web:v1", "--dry-run="+dryRun).ends(0, told)
	}
}

// A change of configuration that a workload's own controller would roll out is tried first, too.
func TestAPolicyForConfigWithoutSteps(t *testing.T) {
	w := newWeb(t, func(d *appsv1.Deployment) {
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	})
	w.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	const without = `[JSONPatch{op: "remove", path: "/spec/template/spec/containers/0/envFrom"}]`
	w.mutateApps("deployments", admissionv1.Update, `has(object.spec.template.spec.containers[0].envFrom)`, without, func() (bool, error) {
		d, err := w.tries(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:v1","envFrom":[{"configMapRef":{"name":"settings"}}]}]}}}}`)
		return err == nil && len(d.Spec.Template.Spec.Containers[0].EnvFrom) == 0, err
	})
	w.plugin("config", "attach", "deployment/web", "--env-from-config", "settings").ends(1,
		"spec.template.spec.containers[app].envFrom was removed", "nothing was written")
	if now := w.get(); now.Generation != w.own.Generation {
		t.Errorf("it has been written, generation %d", now.Generation)
	}
}

// Whoever applies the manifest is named by every command that writes, once.
func TestWhoAppliesWhatIsPaused(t *testing.T) {
	w := newWeb(t)
	w.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	for _, object := range []string{"deployment/web", "configmap/settings"} {
		w.kubectl("label", object, "kustomize.toolkit.fluxcd.io/name=apps", "kustomize.toolkit.fluxcd.io/namespace=flux-system")
	}
	const warning = "is applied by Flux (kustomization apps): its next sync"
	for _, args := range [][]string{
		{"pause", "deployment/web"},
		{"resume", "deployment/web"},
		{"config", "set", "settings", "color=red", "--yes", "--dry-run=server"},
		{"config", "set", "settings", "color=red", "--yes"},
	} {
		p := w.plugin(args...)
		p.ends(0, warning)
		if times := strings.Count(p.output(), warning); times != 1 {
			t.Errorf("%v tells it %d times:\n%s", args, times, p.output())
		}
	}
	w.plugin("config", "set", "settings", "color=green", "--yes").ends(0,
		"configmap/settings in namespace \""+w.name+"\" is applied by Flux", "sets the data of the manifest again")
}
