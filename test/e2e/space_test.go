//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	// kubeconfigVariable names the kubeconfig of the cluster to test on; `make e2e` and `test-cluster run` set it.
	kubeconfigVariable = "ROLLOUT_PLUS_E2E_KUBECONFIG"
	// disposableVariable is set where the cluster goes away after the tests; `test-cluster run` sets it for one it started.
	disposableVariable = "ROLLOUT_PLUS_E2E_DISPOSABLE"
)

// space is a namespace of a test's own.
type space struct {
	testing.TB
	name   string
	config *clientcmdapi.Config
	// kubeconfig is a file that points at the namespace, so that no command line needs -n.
	kubeconfig string
	client     *kubernetes.Clientset
}

// newSpace makes a namespace, and has it deleted after the test. The test runs in parallel with others.
func newSpace(t *testing.T) *space {
	t.Helper()
	t.Parallel()
	return openSpace(t, t.TempDir())
}

func openSpace(t testing.TB, dir string) *space {
	t.Helper()
	for _, program := range []string{"kubectl", "kubectl-rollout_plus", "kubectl_complete-rollout_plus"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not on PATH (run the tests with `make e2e`): %v", program, err)
		}
	}
	file := os.Getenv(kubeconfigVariable)
	if file == "" {
		t.Fatalf("%s does not name a kubeconfig; run the tests with `make e2e`", kubeconfigVariable)
	}
	config, err := (&clientcmd.ClientConfigLoadingRules{ExplicitPath: file}).Load()
	must(t, err)
	must(t, clientcmdapi.MinifyConfig(config))
	must(t, clientcmdapi.FlattenConfig(config))
	s := &space{TB: t, config: config}
	rest, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	must(t, err)
	rest.QPS, rest.Burst = 200, 400
	s.client, err = kubernetes.NewForConfig(rest)
	must(t, err)
	namespace, err := s.client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "rollout-plus-e2e-"}}, metav1.CreateOptions{})
	must(t, err)
	s.name = namespace.Name
	s.afterwards(s.remove)
	config.Contexts[config.CurrentContext].Namespace = s.name
	s.kubeconfig = filepath.Join(dir, "kubeconfig")
	s.writeKubeconfig()
	return s
}

// remove deletes the namespace. In a cluster that goes away, too, the workloads are enough: to delete a namespace the
// controllers list and delete every kind of object there is, which costs about a third of all requests of these tests.
func (s *space) remove(ctx context.Context) error {
	if os.Getenv(disposableVariable) == "" {
		return s.client.CoreV1().Namespaces().Delete(ctx, s.name, metav1.DeleteOptions{})
	}
	apps, all := s.client.AppsV1(), metav1.ListOptions{}
	return errors.Join(apps.Deployments(s.name).DeleteCollection(ctx, metav1.DeleteOptions{}, all),
		apps.StatefulSets(s.name).DeleteCollection(ctx, metav1.DeleteOptions{}, all),
		apps.DaemonSets(s.name).DeleteCollection(ctx, metav1.DeleteOptions{}, all))
}

func (s *space) writeKubeconfig() {
	s.Helper()
	must(s.TB, clientcmd.WriteToFile(*s.config, s.kubeconfig))
}

// afterwards has something done when the test's own context has ended.
func (s *space) afterwards(do func(context.Context) error) {
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := do(ctx); err != nil {
			s.Errorf("something of namespace %s stays behind: %v", s.name, err)
		}
	})
}

// environment is what kubectl and the plugin run with: the test's kubeconfig, and no cache that outlives the test.
func (s *space) environment() []string {
	return append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "KUBECACHEDIR="+filepath.Join(filepath.Dir(s.kubeconfig), "cache"),
		"HOME="+filepath.Dir(s.kubeconfig), "GITHUB_ACTIONS=")
}

// until asks until it is so; otherwise says how it is instead. It is for what no watch tells.
func (s *space) until(is func() bool, otherwise func() string) {
	s.Helper()
	err := wait.PollUntilContextTimeout(s.Context(), 100*time.Millisecond, patience, true,
		func(context.Context) (bool, error) { return is(), nil })
	if err != nil {
		s.Fatal(otherwise())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
