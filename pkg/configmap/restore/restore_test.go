package restore

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// allOf is a pod that has all keys of a ConfigMap in its environment.
func allOf(name string) *corev1.PodSpec {
	from := corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	return &corev1.PodSpec{Containers: []corev1.Container{{Name: "app", EnvFrom: []corev1.EnvFromSource{from}}}}
}

func holding(color string) *configmap.Content {
	return &configmap.Content{Text: map[string]string{"color": color}}
}

func TestSharer(t *testing.T) {
	t.Parallel()
	named := func(name string) configmap.Object { return configmap.Object{Kind: configmap.ConfigMap, Name: name} }
	target := configmap.Kept{Object: named("web-1"), Head: named("web")}
	r := &Restoration{
		Of: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, GoingBack: map[string]bool{"statefulset/too": true},
		kept: map[configmap.Object]configmap.Kept{
			target.Object: target, named("web-2"): {Object: named("web-2"), Head: named("web")}, named("app-1"): {Object: named("app-1"), Head: named("app")},
		},
	}
	record := func(version string) map[string]string {
		return map[string]string{configmap.RecordKey(named("web")): version}
	}
	for name, c := range map[string]struct {
		workload impact.Workload
		want     string
	}{
		"the plain name":            {impact.Workload{Kind: "Deployment", Name: "a", Spec: allOf("web")}, "deployment/a"},
		"another version":           {impact.Workload{Kind: "DaemonSet", Name: "a", Spec: allOf("web-2")}, "daemonset/a"},
		"the same version":          {impact.Workload{Kind: "DaemonSet", Name: "a", Spec: allOf("web-1")}, ""},
		"of another head":           {impact.Workload{Kind: "DaemonSet", Name: "a", Spec: allOf("app-1")}, ""},
		"another version in place":  {impact.Workload{Kind: "StatefulSet", Name: "a", Spec: allOf("web"), Annotations: record("web-2")}, "statefulset/a"},
		"the same version in place": {impact.Workload{Kind: "StatefulSet", Name: "a", Spec: allOf("web"), Annotations: record("web-1")}, ""},
		"a CronJob":                 {impact.Workload{Kind: "CronJob", Name: "web", Spec: allOf("web")}, "cronjob/web"},
		"a Job":                     {impact.Workload{Kind: "Job", Name: "a", Spec: allOf("web")}, "job/a"},
		"a Job that has finished":   {impact.Workload{Kind: "Job", Name: "a", Spec: allOf("web"), Finished: true}, ""},
		"a bare ReplicaSet":         {impact.Workload{Kind: "ReplicaSet", Name: "a", Spec: allOf("web")}, "replicaset/a"},
		"the one that goes back":    {impact.Workload{Kind: "Deployment", Name: "web", Spec: allOf("web-2")}, ""},
		"one that goes back too":    {impact.Workload{Kind: "StatefulSet", Name: "too", Spec: allOf("web-2")}, ""},
		"one that uses nothing":     {impact.Workload{Kind: "Pod", Name: "a", Spec: &corev1.PodSpec{}}, ""},
	} {
		if got := r.sharer([]impact.Workload{c.workload}, &giving{kept: target}); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

// Where nobody can be asked, only those are in the way who see the difference.
func TestSharerThatSeesIt(t *testing.T) {
	t.Parallel()
	named := func(name string) configmap.Object { return configmap.Object{Kind: configmap.ConfigMap, Name: name} }
	give := giving{
		kept: configmap.Kept{Object: named("web-1"), Head: named("web")}, now: &store.State{Content: holding("red")}, version: holding("blue"),
	}
	r := &Restoration{Of: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, Lenient: true, kept: map[configmap.Object]configmap.Kept{
		give.kept.Object: give.kept, named("web-2"): {Object: named("web-2"), Head: named("web")},
	}}
	motd := &corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Env: []corev1.EnvVar{{Name: "MOTD", ValueFrom: &corev1.EnvVarSource{
		ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "web"}, Key: "motd", Optional: new(true)},
	}}}}}}
	for name, c := range map[string]struct {
		spec                   *corev1.PodSpec
		strictly, pin, plainly string
	}{
		"all keys":        {allOf("web"), "cronjob/a", "cronjob/a", "cronjob/a"},
		"another key":     {motd, "cronjob/a", "", ""},
		"another version": {allOf("web-2"), "cronjob/a", "cronjob/a", ""},
	} {
		for plain, want := range map[bool]string{false: c.pin, true: c.plainly} {
			give.plain = plain
			if got := r.sharer([]impact.Workload{{Kind: "CronJob", Name: "a", Spec: c.spec}}, &give); got != want {
				t.Errorf("%s, with the plain name %t: %q, not %q", name, plain, got, want)
			}
		}
		strict := &Restoration{Of: r.Of, kept: r.kept}
		if got := strict.sharer([]impact.Workload{{Kind: "CronJob", Name: "a", Spec: c.spec}}, &give); got != c.strictly {
			t.Errorf("%s, where somebody can be asked: %q, not %q", name, got, c.strictly)
		}
	}
}

func TestCertain(t *testing.T) {
	t.Parallel()
	give := func(head, version string) giving {
		named := func(name string) configmap.Object { return configmap.Object{Kind: configmap.ConfigMap, Name: name} }
		return giving{kept: configmap.Kept{Object: named(version), Head: named(head)}}
	}
	some, uncertain := certain([]giving{give("app", "app-1"), give("web", "web-1"), give("web", "web-2"), give("web", "web-3")})
	if len(some) != 1 || some[0].kept.Object.Name != "app-1" || len(uncertain) != 1 || uncertain[0].Name != "web" {
		t.Errorf("given back is %v, and left alone %v", some, uncertain)
	}
}
