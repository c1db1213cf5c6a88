package store

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// TestRecall reads what an object was off an API server that keeps revisions from one on only. The object was deleted at
// revision 9000.
func TestRecall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pods  impact.Revision
		kept  impact.Revision
		want  []impact.Revision
		error error
	}{
		"all is kept":                        {200, 1, []impact.Revision{200}, nil},
		"kept from long before the deletion": {200, 5000, []impact.Revision{5000}, nil},
		"from just before it":                {200, 8999, []impact.Revision{8999}, nil},
		"from just after the pods":           {200, 201, []impact.Revision{201}, nil},
		"from the deletion on":               {200, 9000, nil, nil},
		"only the present":                   {200, 10000, nil, nil},
		"pods since the deletion":            {9500, 8000, nil, nil},
		"no right to list":                   {200, 1, nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			client := fake.NewClientset()
			client.PrependReactor("list", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
				asked++
				options := action.(clienttesting.ListActionImpl).ListOptions
				at := impact.ParseRevision(options.ResourceVersion)
				switch {
				case test.error != nil:
					return true, nil, test.error
				case at == 0:
					return true, &corev1.ConfigMapList{ListMeta: metav1.ListMeta{ResourceVersion: "10000"}}, nil
				case options.ResourceVersionMatch != metav1.ResourceVersionMatchExact || options.FieldSelector != "metadata.name=web":
					t.Errorf("asks with %+v", options)
				case at < test.kept:
					return true, nil, apierrors.NewResourceExpired("compacted")
				}
				list := &corev1.ConfigMapList{}
				if at < 9000 {
					list.Items = []corev1.ConfigMap{{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: "100"}}}
				}
				return true, list, nil
			})
			reader := &Reader{Client: client, Namespace: "shop"}
			optional := &corev1.PodSpec{Containers: []corev1.Container{{Name: "app", EnvFrom: []corev1.EnvFromSource{{
				ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "web"}, Optional: new(true)},
			}}}}}
			started := []impact.Run{{Started: time.Unix(1, 0), Revision: test.pods}}
			change := &impact.Change{Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}, Stale: true}
			if err := reader.recall(t.Context(), change, []impact.Workload{{Spec: optional, Runs: started}}); err != nil {
				t.Fatal(err)
			}
			var got []impact.Revision
			for _, past := range change.Past {
				got = append(got, past.Revision)
			}
			if len(got) != len(test.want) || len(got) > 0 && got[0] != test.want[0] || asked > 20 {
				t.Errorf("%d requests tell %v, not %v", asked, got, test.want)
			}
		})
	}
}
