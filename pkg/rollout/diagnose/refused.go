package diagnose

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// refused says why pods, or the ReplicaSet that would make them, are not created.
func (d *diagnosis) refused() []signal {
	if d.Deployment != nil {
		for i := range d.Deployment.Status.Conditions {
			c := &d.Deployment.Status.Conditions[i]
			if c.Reason == ReplicaSetCreateError && c.Status != corev1.ConditionTrue {
				return []signal{{
					id: ReplicaSetCreateError, reason: c.Reason, message: c.Message, since: c.LastTransitionTime.Time,
					object: d.Workload, uid: d.Deployment.UID,
				}}
			}
		}
	}
	if d.ReplicaSet == nil {
		return nil
	}
	for i := range d.ReplicaSet.Status.Conditions {
		c := &d.ReplicaSet.Status.Conditions[i]
		if c.Type != appsv1.ReplicaSetReplicaFailure || c.Status != corev1.ConditionTrue || c.Reason == "FailedDelete" {
			continue
		}
		s := signal{
			id: refusal(c.Message), reason: c.Reason, message: c.Message, since: c.LastTransitionTime.Time,
			object: Object{"ReplicaSet", d.ReplicaSet.Name}, uid: d.ReplicaSet.UID,
		}
		switch s.id {
		case ServiceAccountNotFound:
			s.subject = named(c.Message, `serviceaccount "`, `" not found`)
		case QuotaExceeded:
			if s.now = strings.Contains(c.Message, "must specify"); s.now {
				break // no pod that goes helps with that
			}
			// A quota may only slow a rollout down: while old pods go, there is room for new ones.
			s.since = latest(s.since, latest(d.lastReady(), d.drained()))
			s.why = "room may be made by pods that go, within 45s after one became ready or had to have ended"
		}
		return []signal{s}
	}
	return nil
}

// refusal sorts what the API server says.
func refusal(text string) string {
	switch {
	case strings.Contains(text, "exceeded quota"), strings.Contains(text, "failed quota"):
		return QuotaExceeded
	case strings.Contains(text, "violates PodSecurity"):
		return PodSecurityViolated
	case named(text, `serviceaccount "`, `" not found`) != "":
		return ServiceAccountNotFound
	case strings.Contains(text, " usage per Container is"), strings.Contains(text, " usage per Pod is"),
		strings.Contains(text, " limit to request ratio per "),
		strings.Contains(text, "No limit is specified"), strings.Contains(text, "No request is specified"):
		return LimitRangeViolated
	case strings.Contains(text, "failed calling webhook"):
		return AdmissionUnavailable
	case strings.Contains(text, "denied the request"), strings.Contains(text, "ValidatingAdmissionPolicy"), strings.Contains(text, "pod rejected:"):
		return AdmissionDenied
	}
	return FailedCreate
}

// lastReady is when the last pod of the newest version became ready.
func (d *diagnosis) lastReady() time.Time {
	var last time.Time
	for _, pod := range d.Pods {
		if ready := condition(pod, corev1.PodReady); ready != nil && ready.Status == corev1.ConditionTrue {
			last = latest(last, ready.LastTransitionTime.Time)
		}
	}
	return last
}
