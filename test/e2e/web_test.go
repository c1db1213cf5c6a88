//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// web is a Deployment of that name under test, with all that happens to it on record.
type web struct {
	*space
	*recorder
	// own is how it was before any rollout, and since the version of that.
	own   *appsv1.Deployment
	since uint64
}

type edit func(*appsv1.Deployment)

func replicas(n int32) edit { return func(d *appsv1.Deployment) { d.Spec.Replicas = &n } }

func strategy(surge, unavailable string) edit {
	return func(d *appsv1.Deployment) {
		maxSurge, maxUnavailable := intstr.Parse(surge), intstr.Parse(unavailable)
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: &maxSurge, MaxUnavailable: &maxUnavailable}
	}
}

func minReadySeconds(n int32) edit { return func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = n } }

func progressDeadline(n int32) edit {
	return func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = &n }
}

// delay is how long the simulated pods take to become ready with the image tag slow, or to fail with others.
func delay(duration string) edit {
	return func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations = map[string]string{"test.rollout-plus/delay": duration}
	}
}

// newWeb creates a Deployment in a namespace of its own, and waits until it is complete.
func newWeb(t *testing.T, edits ...edit) *web {
	t.Helper()
	s := newSpace(t)
	return s.deploy(edits...)
}

func (s *space) deploy(edits ...edit) *web {
	s.Helper()
	labels := map[string]string{"app": "web"}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:v1"}}},
			},
		},
	}
	// None of these is a default, so that a rollout that forgets to restore one is found out.
	for _, change := range append([]edit{replicas(3), strategy("1", "1"), progressDeadline(300)}, edits...) {
		change(d)
	}
	w := &web{space: s, recorder: s.record()}
	_, err := s.client.AppsV1().Deployments(s.name).Create(s.Context(), d, metav1.CreateOptions{FieldManager: "e2e"})
	must(s.TB, err)
	w.await("the Deployment is complete", (*snapshot).complete)
	now := w.now()
	w.own, w.since = now.deployment, versionOf(now.deployment)
	return w
}

// get reads the Deployment as it is now.
func (w *web) get() *appsv1.Deployment {
	w.Helper()
	d, err := w.client.AppsV1().Deployments(w.name).Get(w.Context(), "web", metav1.GetOptions{})
	must(w.TB, err)
	return d
}

// start begins a rollout to an image.
func (w *web) start(image string, flags ...string) *process {
	w.Helper()
	return w.plugin(append([]string{"start", "deployment/web", "--image", image}, flags...)...)
}

// runs expects that nothing but this image is left, complete, and that the Deployment is its own again.
func (w *web) runs(image string) {
	w.Helper()
	now := w.now()
	if !now.complete() || now.image() != image {
		w.Fatalf("not complete with %s: %s", image, &now)
	}
	w.restored()
}

// restored expects the Deployment's own fields back, and nothing of ours anywhere.
func (w *web) restored() {
	w.Helper()
	d := w.get()
	if !apiequality.Semantic.DeepEqual(d.Spec.Strategy, w.own.Spec.Strategy) || d.Spec.MinReadySeconds != w.own.Spec.MinReadySeconds ||
		!apiequality.Semantic.DeepEqual(d.Spec.ProgressDeadlineSeconds, w.own.Spec.ProgressDeadlineSeconds) || d.Spec.Paused {
		w.Errorf("the Deployment's own fields are not back: %s, minReadySeconds %d, progressDeadlineSeconds %d, paused %v",
			d.Spec.Strategy.String(), d.Spec.MinReadySeconds, *d.Spec.ProgressDeadlineSeconds, d.Spec.Paused)
	}
	w.clean()
}

// clean expects no annotation of ours on the Deployment or a ReplicaSet.
func (w *web) clean() {
	w.Helper()
	annotations := map[string]map[string]string{"the Deployment": w.get().Annotations}
	list, err := w.client.AppsV1().ReplicaSets(w.name).List(w.Context(), metav1.ListOptions{})
	must(w.TB, err)
	for _, rs := range list.Items {
		annotations["ReplicaSet "+rs.Name] = rs.Annotations
	}
	for name, has := range annotations {
		for _, key := range slices.Sorted(maps.Keys(has)) {
			if strings.HasPrefix(key, "rollout-plus/") {
				w.Errorf("%s still has the annotation %s=%s", name, key, has[key])
			}
		}
	}
}
