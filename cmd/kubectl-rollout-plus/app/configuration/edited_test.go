package configuration

import (
	"bytes"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// changerOf changes what a ConfigMap held with the resourceVersion 1 to what it is to hold. Writes that come with that
// version conflict: the cluster has another one.
func changerOf(object *corev1.ConfigMap, held, want *configmap.Content) (*Changer, *fake.Clientset) {
	client := fake.NewClientset(object)
	client.PrependReactor("patch", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		stale := bytes.Contains(action.(clienttesting.PatchAction).GetPatch(), []byte(`"/metadata/resourceVersion","value":"1"`))
		return stale, nil, apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, object.Name, nil)
	})
	env := &cli.Env{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}
	s := sessionOf(env, &rollout.Engine{Client: client}, object.Namespace)
	return &Changer{
		Roller: &Roller{ConfigSession: s}, Want: want,
		Head: &store.Live{Object: configmap.Object{Kind: configmap.ConfigMap, Name: object.Name}, State: &store.State{
			Content: held, Meta: metav1.ObjectMeta{Name: object.Name, Namespace: object.Namespace, ResourceVersion: "1"},
		}},
	}, client
}

func colored(color string) *configmap.Content {
	return &configmap.Content{Text: map[string]string{"color": color}}
}

// What others write besides the content of an object, as a label, does not keep it from going back.
func TestTakeBackGoesByTheContent(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{"red": "blue", "green": "green", "blue": "blue"} {
		c, client := changerOf(&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", ResourceVersion: "2", Labels: map[string]string{"theirs": "x"}},
			Data:       map[string]string{"color": now},
		}, colored("red"), colored("red"))
		c.Since = colored("blue")
		if err := c.takeBack(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", now, err)
		}
		got, err := client.CoreV1().ConfigMaps("shop").Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil || got.Data["color"] != want || (c.Back != nil) != (want == "blue") {
			t.Errorf("%s: it holds %v, and %v is noted (%v)", now, got.Data, c.Back, err)
		}
	}
}

// An object that is gone cannot be given back what it held, and nobody is told that it was.
func TestRestoreOfWhatWasDeleted(t *testing.T) {
	t.Parallel()
	c, client := changerOf(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}}, colored("red"), colored("blue"))
	if err := client.CoreV1().ConfigMaps("shop").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.restore(t.Context(), &store.Live{Object: c.Head.Object}, nil); err == nil {
		t.Error("it is told that it holds again what it held")
	}
}
