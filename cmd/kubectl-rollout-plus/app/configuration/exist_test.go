package configuration

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// What somebody creates after it was looked for has not been read, and a change of it is refused.
func TestMustExistGoesByWhatWasRead(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}})
	s := sessionOf(&cli.Env{}, &rollout.Engine{Client: client}, "shop")
	c := &Changer{Roller: &Roller{ConfigSession: s}, Head: &store.Live{Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}}}
	if err := c.MustExist(); err == nil {
		t.Error("an object that was not read is taken as one that is there")
	}
}
