package rollout

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// activePods returns the pods of a workload that count for its controller.
func activePods(w workload.Object, pods []*corev1.Pod) []*corev1.Pod {
	var active []*corev1.Pod
	for _, pod := range pods {
		if workload.IsActive(pod) && metav1.IsControlledBy(pod, w) {
			active = append(active, pod)
		}
	}
	return active
}

// ownPods returns the pods that a workload controls, in any state.
func ownPods(workload workload.Object, pods []*corev1.Pod) []*corev1.Pod {
	var own []*corev1.Pod
	for _, pod := range pods {
		if metav1.IsControlledBy(pod, workload) {
			own = append(own, pod)
		}
	}
	return own
}

// endingPods returns the pods of a workload that are being deleted.
func endingPods(workload workload.Object, pods []*corev1.Pod) []*corev1.Pod {
	var ending []*corev1.Pod
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil && metav1.IsControlledBy(pod, workload) {
			ending = append(ending, pod)
		}
	}
	return ending
}

// isNew reports whether a pod is of the newest version.
func (s *Snapshot) isNew(pod *corev1.Pod) bool {
	if s.Newest == nil {
		return workload.OwnedBy(pod, s.Current())
	}
	of := workload.Of(s.Workload)
	return pod.Labels[appsv1.ControllerRevisionHashLabelKey] == of.RevisionLabel(s.Newest)
}

// minReadySeconds returns for how long a pod has to be ready before it counts.
func (s *Snapshot) minReadySeconds() int32 { return workload.MinReadySecondsOf(s.Workload) }

// stepped returns the number of pods that the steps apply to. Pods that a StatefulSet keeps by its own partition are
// left out.
func stepped(w workload.Object, u *Update) int32 {
	desired := workload.PodCountsOf(w).Desired
	if _, is := w.(*appsv1.StatefulSet); !is {
		return desired
	}
	kept, err := u.kept()
	if err != nil {
		return desired
	}
	return max(desired-kept, 0)
}

// TargetOf returns the number of new pods after the step that a workload's open rollout is at.
func TargetOf(w workload.Object, record *Record) int32 {
	if record.Update == nil {
		return record.Target(workload.PodCountsOf(w).Desired)
	}
	return record.Target(stepped(w, record.Update))
}
