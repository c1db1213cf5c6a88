package rollout

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// unblock deletes pods that a StatefulSet waits for in vain.
func (s *session) unblock(ctx context.Context, w workload.Object, a unblock) error {
	set, is := w.(*appsv1.StatefulSet)
	if !is {
		return nil
	}
	err := s.deleteAll(ctx, set, a.pods, func(pod *corev1.Pod) {
		s.noteDeleted(pod)
		s.emit(ProgressEvent{Message: fmt.Sprintf("pod %s deleted: it is of another revision and not ready, and statefulset %q would wait for it",
			pod.Name, set.Name)})
	})
	if err != nil {
		return err
	}
	return s.pause(ctx, kube.RetryAfter/10) // time for the watch to deliver pods that have changed
}

// deletePods deletes the pods of a wave. It stops as soon as somebody else has changed the workload.
func (s *session) deletePods(ctx context.Context, w workload.Object, pods []*corev1.Pod) error {
	for _, pod := range pods {
		if s.isOverrun(w) {
			return nil
		}
		err := s.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return explainOn(ctx, "delete", "pod", types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, kube.Answered(err))
		}
		s.mayWrite = true
		s.noteDeleted(pod)
	}
	return nil
}

// isOverrun reports whether the watch has delivered another spec or record than the decision was based on.
func (s *session) isOverrun(decided workload.Object) bool {
	live := s.source.workload()
	if live == nil {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(live.GetResourceVersion(), decided.GetResourceVersion())
	return err == nil && order > 0 &&
		(live.GetGeneration() != decided.GetGeneration() || live.GetAnnotations()[Annotation] != decided.GetAnnotations()[Annotation])
}

// noteDeleted notes a pod that the session has deleted. The watch may not have delivered that yet.
func (s *session) noteDeleted(pod *corev1.Pod) {
	if s.deleted == nil {
		s.deleted = map[types.UID]bool{}
	}
	s.deleted[pod.UID] = true
}
