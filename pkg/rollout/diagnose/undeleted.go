package diagnose

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Lingers reports whether old pods of a StatefulSet or DaemonSet are left although nothing else is under way. Only the
// workload's events show whether its controller tries to delete them.
func Lingers(in *Input) bool {
	if in.Deployment != nil || in.Missing > 0 || !slices.ContainsFunc(in.Others, isLeft) {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(in.Pods, in.Others), func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
}

// undeleted explains why old pods are not deleted.
func (d *diagnosis) undeleted() []signal {
	for _, rs := range d.OldSets {
		for i := range rs.Status.Conditions {
			c := &rs.Status.Conditions[i]
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue && c.Reason == FailedDelete {
				return []signal{{
					id: FailedDelete, reason: c.Reason, message: c.Message, since: c.LastTransitionTime.Time,
					uid: rs.UID, object: Object{"ReplicaSet", rs.Name},
				}}
			}
		}
	}
	if !Lingers(d.Input) {
		return nil
	}
	events := d.events[d.UID]
	failed, deleted := newest(events, FailedDelete), newest(events, "SuccessfulDelete")
	if failed == nil || deleted != nil && isLater(deleted, failed) || d.Now.Sub(lastTold(failed)) > recent {
		return nil
	}
	since := began(failed)
	if deleted != nil {
		since = latest(since, deleted.LastTimestamp.Time)
	}
	return []signal{{
		id: FailedDelete, reason: failed.Reason, message: failed.Message, since: since, uid: d.UID, object: d.Workload,
		evidence: []string{"tried last at " + clock(lastTold(failed).Truncate(time.Second))},
	}}
}
