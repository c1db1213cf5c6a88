package app

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/restart"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/undo"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

func infoOf(object runtime.Object, kind string) *resource.Info {
	return &resource.Info{Namespace: "shop", Name: "web", Object: object, Mapping: &meta.RESTMapping{
		GroupVersionKind: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: kind},
		Resource:         schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: strings.ToLower(kind) + "s"},
		Scope:            meta.RESTScopeNamespace,
	}}
}

// Scripts look for kubectl's words at the beginning; what those leave unsaid comes after them.
func TestUnsaid(t *testing.T) {
	t.Parallel()
	const where = `: deployment "web" in namespace "shop"; `
	metadata := metav1.ObjectMeta{Namespace: "shop", Name: "web"}
	object := printers.Deployment("shop", "web")
	paused := &appsv1.Deployment{ObjectMeta: metadata, Spec: appsv1.DeploymentSpec{Paused: true}}
	missing := apierrors.NewNotFound(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web")
	inShop := func(string, string) string { return "shop" }
	anywhere := func(string, string) string { return "" }
	node := infoOf(&corev1.Node{}, "Node")
	node.Namespace, node.Mapping.Scope = "", meta.RESTScopeRoot
	noNode := apierrors.NewNotFound(schema.GroupResource{Resource: "nodes"}, "n1")
	noShop := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop")
	notPaused := errors.New(`error: deployments.apps "web" is not paused`)
	for want, err := range map[string]error{
		"unable to find specified revision 9 in history" + where + "'kubectl rollout-plus history deployment/web -n shop' lists the revisions": undo.RefusedRollback(
			errors.New("unable to find specified revision 9 in history"), object, nil, nil),
		"you cannot" + where + "'kubectl rollout-plus resume deployment/web -n shop' resumes it": undo.RefusedRollback(errors.New("you cannot"), object, paused, nil),
		"you cannot" + where + "revision 2 is skipped, since its rollout failed; --to-revision goes there all the same": undo.RefusedRollback(
			errors.New("you cannot"), object, nil, []int64{2}),
		`deployment "web" in namespace "shop" was not rolled back: somebody else has changed its pod template meanwhile; ` +
			"'kubectl rollout-plus history deployment/web -n shop' shows what it is now, and --to-revision goes to a revision whatever that is": cli.Overtaken(object),
		`error: deployments.apps "web" is not paused in namespace "shop"; 'kubectl rollout-plus status deployment/web -n shop' shows its rollout`: cli.Unchanged(
			notPaused, infoOf(&appsv1.Deployment{ObjectMeta: metadata}, "Deployment"), cli.OnlyDeployments),
		`error: deployments.apps "web" is not paused in namespace "shop"; 'kubectl rollout-plus resume deployment/web -n shop' resumes it`: cli.Unchanged(
			notPaused, infoOf(paused, "Deployment"), cli.OnlyDeployments),
		`pausing is not supported in namespace "shop"; only Deployments are paused and resumed`: cli.Unchanged(
			errors.New("pausing is not supported"), infoOf(&corev1.ReplicationController{}, "ReplicationController"), cli.OnlyDeployments),
		`deployments.apps "web" not found in namespace "shop"; 'kubectl get deployments -n shop' lists those there are`: cli.Located(missing, inShop),
		`deployments.apps "web" not found`: cli.Located(missing, anywhere),
		`nodes "n1" not found`:             cli.Located(noNode, inShop),
		`namespaces "shop" not found; 'kubectl get namespaces' lists those there are`: cli.Located(noShop, inShop),
		"restarting is not supported; only Deployments, StatefulSets and DaemonSets have rollouts": cli.Unchanged(
			errors.New("restarting is not supported"), node, cli.OnlyWorkloads),
		"other": cli.Located(errors.New("other"), inShop),
	} {
		if err.Error() != want {
			t.Errorf("got\n%s\nwant\n%s", err, want)
		}
	}
	if text := cli.ErrorText(cli.Located(missing, inShop)); text != `Error from server (NotFound): deployments.apps "web" not found`+
		` in namespace "shop"; 'kubectl get deployments -n shop' lists those there are` {
		t.Error(text)
	}
	several := utilerrors.NewAggregate([]error{errors.New("x"), missing})
	if text := cli.ErrorText(cli.Located(several, inShop)); text != "x\n"+cli.ErrorText(cli.Located(missing, inShop)) {
		t.Error(text)
	}
	if missing.ErrStatus.Message != `deployments.apps "web" not found` {
		t.Errorf("the answer itself was changed: %s", missing)
	}
	if err := cli.Unsaid(rollout.ErrDeleted, object, "next"); !errors.Is(err, rollout.ErrDeleted) {
		t.Errorf("%v is of another type", err)
	}
}

func TestARestartIsForcible(t *testing.T) {
	t.Parallel()
	denied := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	if got := restart.Forcible(denied).Error(); got != denied.Error()+"; --force restarts without looking" {
		t.Error(got)
	}
	if other := errors.New("other"); !errors.Is(restart.Forcible(other), other) || restart.Forcible(other).Error() != "other" || restart.Forcible(nil) != nil {
		t.Error("another error is changed")
	}
}
