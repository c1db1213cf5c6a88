package store

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// TestLearnUsersTellsWhatDoesNotParse has others after the one that does not.
func TestLearnUsersTellsWhatDoesNotParse(t *testing.T) {
	t.Parallel()
	var revisions []runtime.Object
	for name, data := range map[string]string{"a": `{"spec": {"template": 1}}`, "b": `{}`, "c": `{"spec": {"template": {}}}`} {
		revisions = append(revisions, &appsv1.ControllerRevision{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, Data: runtime.RawExtension{Raw: []byte(data)},
		})
	}
	client := fake.NewClientset(revisions...)
	s := &Session{
		Engine: &rollout.Engine{Client: client}, Reader: &Reader{Client: client, Namespace: "default"}, Namespace: "default",
	}
	if err := s.LearnUsers(t.Context(), nil); err == nil || !strings.Contains(err.Error(), `ControllerRevision "a" does not parse`) {
		t.Errorf("%v", err)
	}
}

// Creation times have full seconds: the revisions that use versions tell which of them is older.
func TestVersionsOfOneSecond(t *testing.T) {
	t.Parallel()
	of := func(name, user string, number int64) Listed {
		kept := configmap.Kept{Object: configmap.Object{Kind: configmap.ConfigMap, Name: name}}
		return Listed{Kept: kept, Users: []string{user}, revision: number}
	}
	older, newer := of("settings-b", "deployment/web:2", 2), of("settings-a", "deployment/web:10", 10)
	all := []Listed{newer, older}
	if sortVersions(all); !SameAge(all) || all[0].Object != older.Object {
		t.Errorf("the first is %s", all[0].Object)
	}
	all[1].Meta.CreationTimestamp = metav1.Unix(1, 0)
	if SameAge(all) {
		t.Error("versions of different seconds have the same age")
	}
}
