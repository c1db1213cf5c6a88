//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// byHand keeps the simulated nodes from running the pods of a Deployment: the test's own kubelet does that.
func byHand(d *appsv1.Deployment) {
	d.Spec.Template.Annotations = map[string]string{"test.rollout-plus/stage": "none"}
}

// kubelet runs all pods that come to a node, until the test ends: run writes the status of each of them once.
func (s *space) kubelet(run func(pod *corev1.Pod)) {
	s.Helper()
	pods := s.client.CoreV1().Pods(s.name)
	ctx, stop := context.WithCancel(context.Background())
	hour := int64(3600)
	events, err := pods.Watch(ctx, metav1.ListOptions{TimeoutSeconds: &hour})
	must(s.TB, err)
	var running sync.WaitGroup
	s.Cleanup(func() { stop(); running.Wait() })
	running.Go(func() {
		defer events.Stop()
		for event := range events.ResultChan() {
			pod, is := event.Object.(*corev1.Pod)
			if !is || pod.Spec.NodeName == "" || pod.Status.Phase != corev1.PodPending || pod.DeletionTimestamp != nil {
				continue
			}
			run(pod)
			// Whoever comes in between has the pod come again.
			if _, err := pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil && ctx.Err() == nil &&
				!apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				s.Errorf("pod %s is not run: %v", pod.Name, err)
			}
		}
	})
}

// runsReady has a pod run and be ready.
func runsReady(pod *corev1.Pod) {
	pod.Status.Phase, pod.Status.Conditions = corev1.PodRunning, conditions(corev1.ConditionTrue)
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", Image: pod.Spec.Containers[0].Image, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
	}}
}

// fails has a pod end as the kubelet says, without a container that has run.
func fails(pod *corev1.Pod, reason, message string) {
	pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, reason, message
}

// Pods that a node refuses come again and again. That ends the rollout within half a minute, with the kubelet's words and the count.
func TestPodsThatANodeRefuses(t *testing.T) {
	t.Parallel()
	for reason, message := range map[string]string{
		"OutOfmemory":              "Node didn't have enough resource: memory, requested: 99, used: 0, capacity: 8",
		"UnexpectedAdmissionError": "Allocate failed due to no healthy devices present",
		"NodeAffinity":             "Predicate NodeAffinity failed",
	} {
		t.Run(reason, func(t *testing.T) {
			s := newSpace(t)
			s.kubelet(func(pod *corev1.Pod) {
				if pod.Spec.Containers[0].Image == "web:v1" {
					runsReady(pod)
				} else {
					fails(pod, reason, "Pod was rejected: "+message)
				}
			})
			w := s.deploy(replicas(2), byHand)
			p := w.start("web:v2").ends(5, "PodRejected ("+reason+")", message, "pods have ended so in")
			if lines := strings.Count(p.output(), "\n"); lines > 60 {
				t.Errorf("it takes %d lines to say so", lines)
			}
			// The new ReplicaSet's controller may still be counting its refused pods.
			w.await("the old version is complete", func(m *snapshot) bool { return m.image() == "web:v1" && m.complete() })
			w.runs("web:v1")
			w.keeps("1", "1")
		})
	}
}

// The events of pods that are gone show how many a node refused, however many there are. The API server lists the oldest first.
func TestExplainCountsRefusedPods(t *testing.T) {
	t.Parallel()
	const message = "Allocate failed due to no healthy devices present"
	t.Run("StatefulSet", func(t *testing.T) {
		s := newSpace(t)
		s.kubectl("apply", "-f", s.file(manifestByHand("StatefulSet", "kubernetes.io/os: linux")))
		s.kubectl("wait", "statefulset/web", "--for=jsonpath={.status.replicas}=2", "--timeout=2m")
		began := time.Now().Add(-2 * time.Minute)
		for i := range 120 {
			at := time.Now()
			if i < 100 {
				at = began
			}
			s.refused("web-1", fmt.Sprintf("%03d", i), "node-1", message, at)
		}
		s.plugin("explain", "statefulset/web").ends(4, "fatal: pod web-1: PodRejected (UnexpectedAdmissionError): "+message+"; 120 pods have ended so in")
	})
	t.Run("DaemonSet", func(t *testing.T) {
		s := newSpace(t)
		var count atomic.Int32
		third := make(chan struct{})
		s.kubelet(func(pod *corev1.Pod) {
			fails(pod, "UnexpectedAdmissionError", "Pod was rejected: "+message)
			s.refused(pod.Name, string(pod.UID), pod.Spec.NodeName, message, time.Now())
			if count.Add(1) == 3 {
				close(third)
			}
		})
		node := s.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
		s.refused("web-other-abcde", "other", "other", message, time.Now())
		s.kubectl("apply", "-f", s.file(manifestByHand("DaemonSet", "kubernetes.io/hostname: "+node)))
		<-third
		s.plugin("explain", "daemonset/web").ends(4, ": PodRejected (UnexpectedAdmissionError): ", message, " pods have ended so in", "on node "+node)
	})
}

// manifestByHand is a workload whose pods the simulated nodes do not run.
func manifestByHand(kind, nodes string) string {
	return strings.NewReplacer(
		"    metadata: {labels: {app: web}}\n", "    metadata: {labels: {app: web}, annotations: {test.rollout-plus/stage: none}}\n",
		"      containers:", "      nodeSelector: {"+nodes+"}\n      containers:", "serviceName: web", "podManagementPolicy: Parallel\n  serviceName: web",
	).Replace(workloadManifest(kind, "web:v1"))
}

// refused records the event of a node's kubelet about a pod that it has refused.
func (s *space) refused(pod, uid, node, message string, at time.Time) {
	s.Helper()
	_, err := s.client.CoreV1().Events(s.name).Create(context.Background(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: pod + "." + uid},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: s.name, Name: pod, UID: types.UID(uid)},
		Source:         corev1.EventSource{Component: "kubelet", Host: node},
		Type:           corev1.EventTypeWarning, Reason: "UnexpectedAdmissionError", Message: message,
		FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at), Count: 1,
	}, metav1.CreateOptions{})
	must(s.TB, err)
}

// Three pods that were evicted from three nodes are not the new version's fault.
func TestEvictedPodsAreNoFailure(t *testing.T) {
	s := newSpace(t)
	var count atomic.Int32
	evicted := map[string]bool{}
	s.kubelet(func(pod *corev1.Pod) {
		if node := pod.Spec.NodeName; pod.Spec.Containers[0].Image == "web:v2" && !evicted[node] && len(evicted) < 3 {
			evicted[node] = true
			count.Add(1)
			fails(pod, "Evicted", "The node was low on resource: memory.")
			return
		}
		runsReady(pod)
	})
	w := s.deploy(replicas(4), byHand)
	w.start("web:v2").ends(0, "rolled out (revision 2)")
	if count := count.Load(); count != 3 {
		t.Errorf("%d pods were evicted", count)
	}
	w.runs("web:v2")
}
