package configuration

import (
	"maps"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// Versions are written of what those reference who are rolled out, by the plain name or as another version, and of nothing
// else that was edited too.
func TestWhatIsTakenAlong(t *testing.T) {
	t.Parallel()
	named := func(name string) configmap.Object { return configmap.Object{Kind: configmap.ConfigMap, Name: name} }
	use := func(names ...string) *affectedWorkload {
		d := &appsv1.Deployment{}
		d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app"}}
		for _, name := range names {
			d.Spec.Template.Spec.Containers[0].EnvFrom = append(d.Spec.Template.Spec.Containers[0].EnvFrom, corev1.EnvFromSource{
				ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}},
			})
		}
		return &affectedWorkload{workload: d}
	}
	c := &Changer{
		Head: &store.Live{Object: named("web")}, Want: &configmap.Content{}, out: []*affectedWorkload{use("web", "plain"), use("web", "second-m8mt92gg65", "not-edited")},
		along: map[configmap.Object]*configmap.Content{named("web"): {}, named("plain"): {}, named("second"): {}, named("of-others"): {}},
	}
	got := slices.SortedFunc(maps.Keys(c.taken()), configmap.Object.Compare)
	if want := []configmap.Object{named("plain"), named("second"), named("web")}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}
