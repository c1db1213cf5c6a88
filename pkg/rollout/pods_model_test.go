package rollout

import (
	"cmp"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// resize lets the ReplicaSet controller act on the oldest size that it has not acted on.
func (w *world) resize() {
	next := w.resized[0]
	w.resized = w.resized[1:]
	w.syncReplicaSet(next.uid, next.size)
}

// resync lets the ReplicaSet controller look at one ReplicaSet again, unless it has others to act on first.
func (w *world) resync(rs *appsv1.ReplicaSet) {
	if len(w.resized) > 0 {
		w.resize()
		return
	}
	w.syncReplicaSet(rs.UID, *rs.Spec.Replicas)
}

// syncReplicaSet is one sync of the ReplicaSet controller: it reports the pods that it found, and makes or deletes
// some. What it has just made or deleted is reported by its next sync.
func (w *world) syncReplicaSet(uid types.UID, size int32) {
	rs := w.set(uid)
	if rs == nil {
		return
	}
	var own []*corev1.Pod
	status := appsv1.ReplicaSetStatus{ObservedGeneration: rs.Generation}
	for _, pod := range w.pods {
		if metav1.GetControllerOf(pod).UID != uid {
			continue
		}
		own = append(own, pod)
		status.Replicas++
		if podReady(pod) {
			status.ReadyReplicas++
			if w.availableSince(pod, rs.Spec.MinReadySeconds) {
				status.AvailableReplicas++
			}
		}
	}
	for range int(size) - len(own) {
		w.makePod(rs)
	}
	if surplus := len(own) - int(size); surplus > 0 {
		slices.SortFunc(own, firstToGo)
		for _, pod := range own[:surplus] {
			if w.deleted != nil {
				w.deleted(pod)
			}
			w.storePod(pod.UID, nil)
		}
	}
	if next := rs.DeepCopy(); !apiequality.Semantic.DeepEqual(next.Status, status) {
		next.Status = status
		_, _ = w.storeSet(next)
	}
}

// availableSince tells whether a pod has been ready for so many seconds.
func (w *world) availableSince(pod *corev1.Pod, seconds int32) bool {
	_, since := workload.ReadySince(pod)
	return seconds == 0 || w.now.Sub(since).Seconds() > float64(seconds)
}

// firstToGo sorts the pods that the ReplicaSet controller deletes first to the front: not ready before ready, then
// those that have been ready for a shorter time, then the younger.
func firstToGo(a, b *corev1.Pod) int {
	if podReady(a) != podReady(b) {
		if podReady(a) {
			return 1
		}
		return -1
	}
	_, sinceA := workload.ReadySince(a)
	_, sinceB := workload.ReadySince(b)
	return cmp.Or(sinceB.Compare(sinceA), cmp.Compare(b.Name, a.Name))
}

func (w *world) makePod(rs *appsv1.ReplicaSet) {
	uid := w.uid("pod")
	pod := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: rs.Namespace, Name: rs.Name + "-" + string(uid), UID: uid, ResourceVersion: w.version(),
			CreationTimestamp: metav1.NewTime(w.now.Truncate(time.Second)), Labels: rs.Spec.Template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec:   corev1.PodSpec{NodeName: "node"},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	if w.shape != nil {
		w.shape(pod)
	}
	w.broken[uid] = w.breaks != nil && w.breaks(rs)
	w.pods = append(w.pods[:len(w.pods):len(w.pods)], pod)
	w.tell(watch.Added, pod)
}

// runPod lets the kubelet run a pod: it becomes ready, or crashes where it is broken.
func (w *world) runPod(uid types.UID) {
	for _, pod := range w.pods {
		if pod.UID != uid || podReady(pod) {
			continue
		}
		if pod.Spec.NodeName == "" || w.stuck[uid] {
			return
		}
		if w.broken[uid] {
			w.crash(pod)
		} else {
			w.setReady(pod, corev1.ConditionTrue)
		}
		return
	}
}

func (w *world) setReady(pod *corev1.Pod, status corev1.ConditionStatus) {
	next := pod.DeepCopy()
	next.Status.Phase = corev1.PodRunning
	next.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(w.now.Truncate(1e9)),
	}}
	w.storePod(pod.UID, next)
}

func (w *world) crash(pod *corev1.Pod) {
	next := pod.DeepCopy()
	next.Status.Phase = corev1.PodRunning
	next.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", RestartCount: 3,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container"}},
		LastTerminationState: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"},
		},
	}}
	if !apiequality.Semantic.DeepEqual(next.Status, pod.Status) {
		w.storePod(pod.UID, next)
	}
}
