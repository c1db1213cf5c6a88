package app

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

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
	s := &configSession{
		engine: &rollout.Engine{Client: client}, reader: &configReader{client: client, namespace: "default"}, namespace: "default",
	}
	if err := s.learnUsers(t.Context(), nil); err == nil || !strings.Contains(err.Error(), `ControllerRevision "a" does not parse`) {
		t.Errorf("%v", err)
	}
}
