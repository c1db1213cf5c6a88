package rollout

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// mostNamed is how many pods one sentence names.
const mostNamed = 3

// completion is how far the pods of a workload have come towards its newest revision.
type completion struct {
	phase workload.Phase
	// lacks says which pods keep the workload from being complete. It is "" if the workload is complete or its status alone
	// shows why it is not.
	lacks string
	// wake is when the next pod has been ready for long enough, or zero if no pod waits for that.
	wake time.Time
}

// completionOf judges how far a workload has come. Where the status counts a StatefulSet as complete, or nearly so, its pods
// decide. The status does not say which pods run which revision: pods above the partition may run another one than the newest. A
// DaemonSet that its status counts as complete is so only while its pods are ready.
func completionOf(object workload.Object, pods []*corev1.Pod, now time.Time) completion {
	c := completion{phase: workload.PhaseOf(object)}
	switch w := object.(type) {
	case *appsv1.StatefulSet:
		if c.phase == workload.Complete || c.phase == workload.Partitioned || c.mayLack(w) {
			c.judge(w, pods, now)
		}
	case *appsv1.DaemonSet:
		c.outdated(w, pods)
	}
	return c
}

// outdated takes a DaemonSet back from complete if fewer of its pods are ready than its status says. A pod may have been ready
// only for a moment.
func (c *completion) outdated(set *appsv1.DaemonSet, pods []*corev1.Pod) {
	var unready []string
	ready := 0
	for _, pod := range activePods(set, pods) {
		if is, _ := workload.ReadySince(pod); is {
			ready++
		} else {
			unready = append(unready, pod.Name)
		}
	}
	if c.phase == workload.Complete && len(unready) > 0 && ready < int(workload.PodCountsOf(set).Desired) {
		c.phase, c.lacks = workload.Progressing, named(unready)+" not ready"
	}
}

// mayLack reports whether a StatefulSet has all the pods that its partition asks for, and still is not complete.
func (c *completion) mayLack(set *appsv1.StatefulSet) bool {
	replicas := workload.PodCountsOf(set).Desired
	return c.phase == workload.Progressing && set.Status.ReadyReplicas >= replicas && set.Status.UpdatedReplicas >= replicas-workload.PartitionOf(set)
}

// podsByOrdinal returns the pods that a StatefulSet's controller counts, by ordinal.
func podsByOrdinal(set *appsv1.StatefulSet, pods []*corev1.Pod) map[int]*corev1.Pod {
	at := map[int]*corev1.Pod{}
	for _, pod := range activePods(set, pods) {
		at[ordinalOf(set, pod)] = pod
	}
	return at
}

// judge sets the phase by the pod at each ordinal, and says which pods are lacking.
func (c *completion) judge(set *appsv1.StatefulSet, pods []*corev1.Pod, now time.Time) {
	at := podsByOrdinal(set, pods)
	var stale, unready, young []string
	kept, first, begin := 0, firstUpdated(set), int(startOf(set))
	counts := workload.PodCountsOf(set)
	for ordinal := begin; ordinal < begin+int(counts.Desired); ordinal++ {
		pod, name := at[ordinal], fmt.Sprintf("%s-%d", set.Name, ordinal)
		if pod == nil {
			unready = append(unready, name)
			continue
		}
		isNew := pod.Labels[appsv1.ControllerRevisionHashLabelKey] == set.Status.UpdateRevision
		available, due := workload.AvailableAt(pod, set.Spec.MinReadySeconds, now)
		switch {
		case !isNew && ordinal >= first:
			stale = append(stale, name)
		case due.IsZero() && !available:
			unready = append(unready, name)
		case !available:
			young, c.wake = append(young, name), earlier(c.wake, due)
		case !isNew:
			kept++
		}
	}
	switch {
	case len(stale) > 0:
		c.lacks = "another revision than the newest runs in " + named(stale)
	case len(unready) > 0:
		c.lacks = named(unready) + " not ready"
	case len(young) > 0:
		c.lacks = fmt.Sprintf("minReadySeconds (%d s) not over for %s", set.Spec.MinReadySeconds, named(young))
	case counts.Available < counts.Desired:
		c.lacks = "its controller has not counted all pods as available"
	}
	switch {
	case c.lacks != "":
		c.phase = workload.Progressing
	case kept > 0:
		c.phase = workload.Partitioned
	default:
		c.phase = workload.Complete
	}
}

// named joins names for a sentence. It writes out at most mostNamed of them and counts the others.
func named(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
