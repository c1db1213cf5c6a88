//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// What keeps an old pod from ending is named at once: its node that says nothing, or the finalizers of one that has ended.
func TestAnOldPodThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit  func(*corev1.Pod)
		tells []string
	}{
		"silent node": {edit: func(pod *corev1.Pod) {
			pod.Status.Conditions = conditions(corev1.ConditionFalse)
		}, tells: []string{"NodeNotReady: node ", " does not report any more", "next: kubectl get nodes"}},
		"finalizer": {edit: func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Reason: "Completed", FinishedAt: metav1.NewTime(time.Now().Add(-time.Minute)),
			}}}}
		}, tells: []string{"StuckTerminating", "it is gone once these finalizers are removed: example.com/keep"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpace(t)
			manifest := strings.Replace(manifestOf("StatefulSet", "db", "db:v1", "podManagementPolicy: Parallel"), "labels: {app: db}}, spec",
				"labels: {app: db}, annotations: {test.rollout-plus/stage: none}}, spec", 1)
			s.kubectl("create", "-f", s.file(manifest))
			for _, pod := range []string{"db-0", "db-1"} {
				s.kubectl("wait", "pod/"+pod, "--for=create", "--timeout=1m")
				s.kubectl("wait", "pod/"+pod, "--for=condition=PodScheduled", "--timeout=1m")
				s.report(pod, func(pod *corev1.Pod) {
					pod.Status.Phase, pod.Status.Conditions = corev1.PodRunning, conditions(corev1.ConditionTrue)
				})
			}
			// No node of the test's cluster is silent by itself: this keeps the pod for as long as one would.
			s.kubectl("patch", "pod", "db-1", "--type=json", "-p", `[{"op":"add","path":"/metadata/finalizers","value":["example.com/keep"]}]`)
			s.kubectl("set", "image", "statefulset/db", "app=db:v2")
			s.kubectl("wait", "pod/db-1", "--for=jsonpath={.metadata.deletionTimestamp}", "--timeout=1m")
			s.report("db-1", c.edit)
			s.plugin("explain", "statefulset/db").ends(4, c.tells...)
			p := s.plugin("status", "statefulset/db", "--timeout", "3s").ends(124, c.tells...)
			lines := strings.Split(strings.TrimSpace(p.errOut.String()), "\n")
			last, cause, _ := strings.Cut(lines[len(lines)-1], "; in its way: pod db-1")
			if !strings.Contains(last, "--timeout 3s passed") || !strings.Contains(cause, c.tells[0]) {
				t.Errorf("the last line does not say why: %s", lines[len(lines)-1])
			}
			s.kubectl("patch", "pod", "db-1", "--type=json", "-p", `[{"op":"remove","path":"/metadata/finalizers"}]`)
		})
	}
}

// With strategy Recreate no new pod is made before all old ones are gone: status names one that is held.
func TestAnOldPodThatHoldsUpRecreate(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "-f", s.file(strings.Replace(workloadManifest("Deployment", "web:v1"), "replicas: 2", "replicas: 2\n  strategy: {type: Recreate}", 1)))
	s.kubectl("rollout", "status", "deployment/web")
	pod := s.kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
	s.kubectl("patch", "pod", pod, "--type=json", "-p", `[{"op":"add","path":"/metadata/finalizers","value":["example.com/keep"]}]`)
	s.kubectl("set", "image", "deployment/web", "app=web:v2")
	p := s.plugin("status", "deployment/web")
	p.tells("pod " + pod + ": StuckTerminating")
	s.plugin("status", "deployment/web", "--timeout", "2s").ends(124, "; in its way: pod "+pod+": StuckTerminating")
	s.kubectl("patch", "pod", pod, "--type=json", "-p", `[{"op":"remove","path":"/metadata/finalizers"}]`)
	p.ends(0, "successfully rolled out")
}

// conditions are those of a pod whose containers are ready, and that is ready itself or not.
func conditions(ready corev1.ConditionStatus) []corev1.PodCondition {
	now := metav1.Now()
	return []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.PodReady, Status: ready, LastTransitionTime: now},
	}
}

// report writes a pod's status, as a kubelet or the node controller does.
func (s *space) report(name string, edit func(*corev1.Pod)) {
	s.Helper()
	pods := s.client.CoreV1().Pods(s.name)
	must(s.TB, retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		pod, err := pods.Get(s.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edit(pod)
		_, err = pods.UpdateStatus(s.Context(), pod, metav1.UpdateOptions{})
		return err
	}))
}
