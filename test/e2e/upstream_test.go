//go:build e2e

package e2e

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// upstreamNode is the only node of upstream's control plane. One of its tests puts a taint on it.
const upstreamNode = "127.0.0.1"

// TestUpstream runs Kubernetes' own shell tests of `kubectl rollout` with the plugin in its place. One that fails is run
// with kubectl's own command too, which tells a test that does not fit the cluster from one that the plugin fails.
// Each has a namespace and a folder to itself. Only template_output needs objects of the whole cluster.
func TestUpstream(t *testing.T) {
	sources := upstreamSources(t)
	t.Parallel()
	for _, name := range []string{
		"deployment", "daemonset", "daemonset_history", "stateful_set", "statefulset_history", "recursive_resources", "template_output",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !t.Run("plugin", func(t *testing.T) { upstream(t, sources, name, "rollout-plus") }) {
				t.Run("kubectl", func(t *testing.T) { upstream(t, sources, name, "rollout") })
			}
		})
	}
}

func upstream(t *testing.T, sources, name, rollout string) {
	t.Helper()
	dir := t.TempDir()
	s := openSpace(t, dir)
	s.withoutScheduler()
	if name == "template_output" {
		s.lendNode()
	}
	s.runUpstream(sources, dir, name, rollout)
}

// upstreamSources is where the sources of Kubernetes lie: the test cluster is built from them.
func upstreamSources(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("upstream's tests need bash:", err)
	}
	out, err := exec.Command("go", "list", "-C", "../cluster", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skip("the sources of Kubernetes are not in the module cache, where building the test cluster puts them:", err)
	}
	return dir
}

func (s *space) runUpstream(sources, dir, name, rollout string) {
	s.Helper()
	kubectl, err := exec.LookPath("kubectl")
	must(s.TB, err)
	wrappers, err := filepath.Abs("testdata/upstream")
	must(s.TB, err)
	must(s.TB, os.Mkdir(filepath.Join(dir, "scratch"), 0o755))
	ctx, cancel := context.WithTimeout(s.Context(), 4*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(wrappers, "run.sh"), name)
	cmd.Env = append(s.environment(), "SOURCES="+sources, "SCRATCH="+filepath.Join(dir, "scratch"),
		"WRAPPERS="+wrappers, "KUBECTL="+kubectl, "ROLLOUT="+rollout)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("upstream's test %s fails with %s: %v\n%s", name, rollout, err, out)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "scratch", "calls"))
	if err != nil || !strings.HasPrefix(string(calls), rollout+" ") {
		s.Fatalf("upstream's test %s has not come by here: %v\n%s", name, err, calls)
	}
}

// withoutScheduler has the namespace's pods wait for a scheduler that does not exist, and waits until it is so. Upstream's
// tests run on a control plane without scheduler and nodes, and some count on it: a rollout is not to finish within a second.
func (s *space) withoutScheduler() {
	s.Helper()
	// Upstream's tests count on a certificate that is not checked, and on the address of this machine.
	for _, cluster := range s.config.Clusters {
		if server, err := url.Parse(cluster.Server); err != nil || server.Hostname() != "127.0.0.1" {
			s.Skip("upstream's tests want a cluster on this machine, not " + cluster.Server)
		}
		cluster.CertificateAuthority, cluster.CertificateAuthorityData = "", nil
		cluster.InsecureSkipTLSVerify = true
	}
	s.writeKubeconfig()
	s.withoutTokens()
	ignore := admissionv1.Ignore
	// Pods that are replaced keep it, and then their service account too: upstream's API server gives a pod neither, and a
	// pod cannot change them.
	s.mutatePods(&admissionv1.MutatingAdmissionPolicySpec{
		FailurePolicy: &ignore,
		Mutations: []admissionv1.Mutation{{
			PatchType: admissionv1.PatchTypeApplyConfiguration,
			ApplyConfiguration: &admissionv1.ApplyConfiguration{Expression: `Object{spec: Object.spec{
				schedulerName: "none", serviceAccountName: "default", serviceAccount: "default"}}`},
		}},
	}, []admissionv1.OperationType{admissionv1.Create, admissionv1.Update}, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "probe"}}},
	}, func(pod *corev1.Pod) bool { return pod.Spec.SchedulerName == "none" })
}

// withoutTokens has no token mounted into the pods of the namespace, once its service account is there.
func (s *space) withoutTokens() {
	s.Helper()
	s.until(func() bool {
		_, err := s.client.CoreV1().ServiceAccounts(s.name).Patch(s.Context(), "default", types.MergePatchType,
			[]byte(`{"automountServiceAccountToken":false}`), metav1.PatchOptions{})
		must(s.TB, gone(err))
		return err == nil
	}, func() string { return "the namespace gets no service account" })
}

// lendNode makes the node that upstream's tests know, for no pod to run on, and removes what a test that failed half
// way leaves behind in the cluster.
func (s *space) lendNode() {
	s.Helper()
	const unscheduled = "e2e.rollout-plus/unscheduled"
	nodes := s.client.CoreV1().Nodes()
	_, err := nodes.Create(s.Context(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: upstreamNode},
		Spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{
			{Key: unscheduled, Effect: corev1.TaintEffectNoSchedule}, {Key: unscheduled, Effect: corev1.TaintEffectNoExecute},
		}},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	s.afterwards(func(ctx context.Context) error { return nodes.Delete(ctx, upstreamNode, metav1.DeleteOptions{}) })
	s.afterwards(func(ctx context.Context) error {
		return gone(s.client.RbacV1().ClusterRoles().Delete(ctx, "myclusterrole", metav1.DeleteOptions{}))
	})
	s.afterwards(func(ctx context.Context) error {
		return gone(s.client.RbacV1().ClusterRoleBindings().Delete(ctx, "foo", metav1.DeleteOptions{}))
	})
}

func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
