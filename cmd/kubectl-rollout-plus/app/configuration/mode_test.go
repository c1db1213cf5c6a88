package configuration

import (
	"reflect"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// Which mode is used is told by what one head's reference looks like, for that head alone.
func TestKeeps(t *testing.T) {
	t.Parallel()
	template, err := podtemplate.Typed(map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "app", "envFrom": []any{
		map[string]any{"configMapRef": map[string]any{"name": "web"}}, map[string]any{"configMapRef": map[string]any{"name": "app-m8mt92gg65"}},
	}}}}})
	if err != nil {
		t.Fatal(err)
	}
	heads := []configmap.Object{{Kind: configmap.ConfigMap, Name: "web"}, {Kind: configmap.ConfigMap, Name: "app"}}
	here := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Template: *template}}
	helm := here.DeepCopy()
	helm.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"}
	for name, test := range map[string]struct {
		flags    ModeFlags
		workload *appsv1.Deployment
		want     attach.PlainNames
	}{
		"here":                 {ModeFlags{}, here, attach.PlainNames{}},
		"here, in place":       {ModeFlags{InPlace: true}, here, attach.PlainNames{heads[0]: "--in-place", heads[1]: "--in-place"}},
		"elsewhere":            {ModeFlags{}, helm, attach.PlainNames{heads[0]: "Helm manages it"}},
		"elsewhere, to be pin": {ModeFlags{Pin: true}, helm, attach.PlainNames{}},
	} {
		if got := test.flags.Keeps(test.workload, heads, "own"); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	told := attach.PlainNames{heads[0]: "a", heads[1]: "b"}
	if got := told.Lines("deployment/web", heads[1]); !slices.Equal(got, []string{"deployment/web keeps the plain name of configmap/web (a)"}) {
		t.Errorf("told is %q", got)
	}
}
