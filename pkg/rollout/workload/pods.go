package workload

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IsActive reports whether the ReplicaSet controller counts a pod (IsPodActive in its controller_utils).
func IsActive(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

// AvailableAt reports whether a pod has been ready for long enough, and when it will have been. The moment is zero if
// the pod is not ready.
func AvailableAt(pod *corev1.Pod, minReadySeconds int32, now time.Time) (bool, time.Time) {
	ready, since := ReadySince(pod)
	if !ready {
		return false, time.Time{}
	}
	due := since.Add(time.Duration(minReadySeconds) * time.Second)
	return minReadySeconds == 0 || !due.After(now), due
}

// OwnedBy reports whether a ReplicaSet controls a pod. No pod is owned by nil.
func OwnedBy(pod *corev1.Pod, rs *appsv1.ReplicaSet) bool {
	owner := metav1.GetControllerOfNoCopy(pod)
	return rs != nil && owner != nil && owner.UID == rs.UID
}

// ReadySince reports whether a pod is ready, and since when.
func ReadySince(pod *corev1.Pod) (bool, time.Time) {
	if condition := PodCondition(pod, corev1.PodReady); condition != nil && condition.Status == corev1.ConditionTrue {
		return true, condition.LastTransitionTime.Time
	}
	return false, time.Time{}
}

// PodCondition returns a condition of a pod, or nil if the pod has none of that type.
func PodCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
