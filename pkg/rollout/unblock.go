package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// parallelPause is the time after the last change in which a controller would have replaced a pod that is not ready. It
// applies to the pod management policy Parallel.
const parallelPause = 10 * time.Second

// readyTolerance is how long after the kubelet took a pod its Ready condition may be set for the first time.
const readyTolerance = 2 * time.Second

// Obstacle is a pod that a StatefulSet waits for.
type Obstacle struct {
	Pod types.UID
	// Text says why the pod is an obstacle, and what to do.
	Text string
}

// awaited returns the pods of older revisions that a StatefulSet waits for, though it is to replace them. With the pod
// management policy OrderedReady, its controller does nothing before every pod is ready, including those
// (processReplica in its stateful_set_control.go, kubernetes issue 67250). With the policy Parallel, it replaces the
// pods that are not ready first. Only the controllers of servers 1.35.0 to 1.35.3 wait for them with that policy, too.
func awaited(set *appsv1.StatefulSet, pods []*corev1.Pod) []*corev1.Pod {
	newest := set.Status.UpdateRevision
	if !isRolling(set) || set.Status.ObservedGeneration < set.Generation || newest == "" {
		return nil
	}
	first := firstUpdated(set)
	var found []*corev1.Pod
	for _, pod := range pods {
		if !metav1.IsControlledBy(pod, set) || !workload.IsActive(pod) || pod.Labels[appsv1.ControllerRevisionHashLabelKey] == newest {
			continue
		}
		if ready, _ := workload.ReadySince(pod); ordinalOf(set, pod) >= first && !ready {
			found = append(found, pod)
		}
	}
	return found
}

// obstacles returns the pods that a StatefulSet may wait for in vain. A pod that was ready before may become ready
// again. If that is clear only after a grace, graces has the end of the grace by the pod's name.
func obstacles(set *appsv1.StatefulSet, pods []*corev1.Pod, now time.Time) (found []*corev1.Pod, graces map[string]time.Time) {
	graces = map[string]time.Time{}
	for _, pod := range awaited(set, pods) {
		failure, until := podFailure(pod, now)
		switch {
		case failure != nil || neverReady(pod):
			found = append(found, pod)
		case !until.IsZero():
			graces[pod.Name] = until
		}
	}
	return found, graces
}

// isRolling reports whether a StatefulSet updates its pods by itself, some at a time.
func isRolling(set *appsv1.StatefulSet) bool {
	return set.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType
}

// isOrdered reports whether a StatefulSet also waits for each of its pods to be ready.
func isOrdered(set *appsv1.StatefulSet) bool {
	return isRolling(set) && set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
}

// firstUpdated returns the lowest ordinal of the pods that a StatefulSet is to update.
func firstUpdated(set *appsv1.StatefulSet) int {
	return int(startOf(set) + workload.PartitionOf(set))
}

// startOf returns the ordinal of a StatefulSet's first pod.
func startOf(set *appsv1.StatefulSet) int32 {
	if set.Spec.Ordinals == nil {
		return 0
	}
	return set.Spec.Ordinals.Start
}

// ordinalOf returns a pod's ordinal in its StatefulSet, or -1 if its name has none.
func ordinalOf(set *appsv1.StatefulSet, pod *corev1.Pod) int {
	if ordinal, err := strconv.Atoi(strings.TrimPrefix(pod.Name, set.Name+"-")); err == nil {
		return ordinal
	}
	return -1
}

// keptPod returns a function that reports whether a StatefulSet keeps a pod at its revision, below the partition. The
// StatefulSet waits for such pods as for those of the newest revision.
func keptPod(w workload.Object) func(*corev1.Pod) bool {
	set, is := w.(*appsv1.StatefulSet)
	return func(pod *corev1.Pod) bool {
		if !is || set.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType || !workload.IsActive(pod) {
			return false
		}
		ordinal := ordinalOf(set, pod)
		return ordinal >= 0 && ordinal < firstUpdated(set) && pod.Labels[appsv1.ControllerRevisionHashLabelKey] == set.Status.CurrentRevision
	}
}

// stuckAt returns from when on a StatefulSet with the policy Parallel is stuck with its present pods. Most controllers
// replace the pods that are not ready at once, but those of some servers do not. It returns zero if something else is
// under way.
func stuckAt(set *appsv1.StatefulSet, pods []*corev1.Pod) time.Time {
	last, active := lastChange(set), activePods(set, pods)
	if len(awaited(set, pods)) == 0 || len(endingPods(set, pods)) > 0 || len(active) < int(workload.PodCountsOf(set).Desired) {
		return time.Time{}
	}
	for _, pod := range active {
		ready, since := workload.ReadySince(pod)
		if !ready && pod.Labels[appsv1.ControllerRevisionHashLabelKey] == set.Status.UpdateRevision {
			return time.Time{}
		}
		last = later(last, later(since, pod.CreationTimestamp.Time))
	}
	return last.Add(parallelPause)
}

// neverReady reports whether a pod has not been ready since its node took it.
func neverReady(pod *corev1.Pod) bool {
	condition, taken := workload.PodCondition(pod, corev1.PodReady), pod.Status.StartTime
	if condition == nil || taken == nil {
		return true
	}
	return condition.Status != corev1.ConditionTrue && condition.LastTransitionTime.Sub(taken.Time) <= readyTolerance
}

// heldUp adds to a view the pod that a StatefulSet waits for, and returns when to look again. A pod whose container
// crashes is no failure: it may be ready for a moment between two crashes, and is replaced then. Nor does the new
// version of an open rollout fail because of a pod of an older one.
func (v *View) heldUp(pods []*corev1.Pod, now time.Time) time.Time {
	set, is := v.Workload.(*appsv1.StatefulSet)
	if !is || !isRolling(set) {
		return time.Time{}
	}
	if !isOrdered(set) {
		due := stuckAt(set, pods)
		if due.IsZero() || now.Before(due) {
			return due
		}
	}
	found, graces := obstacles(set, pods, now)
	var next time.Time
	for _, until := range graces {
		next = earlier(next, until)
	}
	if len(found) == 0 {
		return next
	}
	pod := slices.MinFunc(found, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	wayOut := fmt.Sprintf("'kubectl delete pod %s -n %s' lets it go on", pod.Name, pod.Namespace)
	finding, until := podFailure(pod, now)
	if !until.IsZero() {
		next = earlier(next, until)
	}
	v.Obstacle = Obstacle{Pod: pod.UID, Text: fmt.Sprintf("pod %s is not ready", pod.Name)}
	if finding != nil {
		v.Obstacle.Text = finding.String()
	}
	if v.holds(set, pod) {
		v.Obstacle.Text += "; it is of the earlier revision, which it keeps in this step, and the StatefulSet waits for it before it goes on"
		return next
	}
	v.Obstacle.Text += "; it is of an earlier revision, and the StatefulSet waits for it before it replaces it; " + wayOut
	if finding != nil && finding.ID != diagnose.CrashLoopBackOff && v.State != Open {
		finding.Pods = 1
		v.failed(finding)
		v.Message = "the pod is of an earlier revision, and the StatefulSet waits for it before it replaces it; " + wayOut
	}
	return next
}

// holds reports whether an open rollout keeps a pod of a StatefulSet at its revision. Such a pod would come again if it
// were deleted.
func (v *View) holds(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	if v.State != Open || v.Record == nil || v.Record.Update == nil || v.Record.Update.Partition == nil {
		return false
	}
	return ordinalOf(set, pod) < int(startOf(set)+*v.Record.Update.Partition)
}

// Unblock deletes the pods that keep a StatefulSet from going back to its pod template. These are pods of other
// revisions that have never been ready, or that will not become ready. The StatefulSet replaces them only once they are
// ready, and replaces no other pod before. Deleting one that is only starting costs nothing: it serves nobody, and
// would have to start twice.
//
// Unblock calls tell for each pod that it deletes. For each pod that may still become ready, it returns an error that
// names the pod. The caller gives the StatefulSet as it was when its template was written.
func (e *Engine) Unblock(ctx context.Context, set *appsv1.StatefulSet, tell func(pod *corev1.Pod)) error {
	if !isRolling(set) {
		return nil
	}
	watches, err := newSource(e.Client, e.Clock, set, nil)
	if err != nil {
		return err
	}
	watches.Start(ctx)
	defer watches.Close()
	for {
		if err := watches.Err(); err != nil {
			return err
		}
		if now, is := watches.workload().(*appsv1.StatefulSet); is && watches.Synced() && isSince(now, set) {
			found, graces := obstacles(now, watches.pods(), e.Clock.Now())
			return errors.Join(e.deleteAll(ctx, now, found, tell), spared(now, graces))
		}
		if err := watches.Sleep(ctx, time.Time{}); err != nil {
			return err
		}
	}
}

// spared returns an error about the pods that may still become ready, or nil if there are none.
func spared(set *appsv1.StatefulSet, graces map[string]time.Time) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(graces)) {
		until := graces[name].UTC().Format("15:04:05Z")
		all = append(all, fmt.Errorf("pod %q was ready before and may come good until %s; if it does not, 'kubectl delete pod %s -n %s' "+
			"lets statefulset %q go on", name, until, name, set.Namespace, set.Name))
	}
	return errors.Join(all...)
}

// isSince reports whether now is the same StatefulSet as before, is not older, and has been observed by its controller.
func isSince(now, before *appsv1.StatefulSet) bool {
	order, err := resourceversion.CompareResourceVersion(now.ResourceVersion, before.ResourceVersion)
	return now.UID == before.UID && (err != nil || order >= 0) && now.Status.ObservedGeneration >= now.Generation
}

// deleteAll deletes the pods that have not changed since the caller saw them.
func (e *Engine) deleteAll(ctx context.Context, set *appsv1.StatefulSet, pods []*corev1.Pod, tell func(pod *corev1.Pod)) error {
	for _, pod := range pods {
		err := e.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &pod.UID, ResourceVersion: &pod.ResourceVersion},
		})
		switch {
		case err == nil:
			tell(pod)
		case apierrors.IsForbidden(err):
			return fmt.Errorf("statefulset %q waits for pod %q of an earlier revision, which is not ready, and the right to delete pods "+
				"in namespace %q is missing; have it deleted: %w", set.Name, pod.Name, set.Namespace, err)
		case !apierrors.IsNotFound(err) && !apierrors.IsConflict(err):
			return fmt.Errorf("cannot delete pod %q, which statefulset %q waits for: %w", pod.Name, set.Name, err)
		}
	}
	return nil
}
