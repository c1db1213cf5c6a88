//go:build e2e

package e2e

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
			if lines := strings.Count(p.told(), "\n"); lines > 60 {
				t.Errorf("it takes %d lines to say so", lines)
			}
			// The new ReplicaSet's controller may still be counting its refused pods.
			w.await("the old version is complete", func(m *moment) bool { return m.image() == "web:v1" && m.complete() })
			w.runs("web:v1")
			w.keeps("1", "1")
		})
	}
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
