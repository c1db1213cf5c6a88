package diagnose

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// refused explains why pods, or the ReplicaSet that would create them, are not created.
func (d *diagnosis) refused() []signal {
	if d.Deployment != nil {
		for i := range d.Deployment.Status.Conditions {
			c := &d.Deployment.Status.Conditions[i]
			if c.Reason == ReplicaSetCreateError && c.Status != corev1.ConditionTrue {
				return []signal{d.notMade(c)}
			}
		}
	}
	if d.ReplicaSet == nil {
		return d.refusedToOthers()
	}
	for i := range d.ReplicaSet.Status.Conditions {
		c := &d.ReplicaSet.Status.Conditions[i]
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue && c.Reason != "FailedDelete" {
			return []signal{d.refusedToReplicaSet(c)}
		}
	}
	return nil
}

// notMade describes a ReplicaSet that the Deployment controller cannot create. The condition does not change while that lasts.
func (d *diagnosis) notMade(c *appsv1.DeploymentCondition) signal {
	s := signal{
		id: ReplicaSetCreateError, reason: c.Reason, message: c.Message, since: c.LastTransitionTime.Time,
		object: d.Workload, uid: d.Deployment.UID,
	}
	s.attempt = attempt{last: c.LastTransitionTime.Time, next: backOff(s.since, controllerBackOff), asks: true}
	if told := newest(d.events[d.Deployment.UID], ReplicaSetCreateError); told != nil {
		s.last, s.message = latest(s.last, lastTold(told)), told.Message
	}
	return s
}

// refusedToReplicaSet describes a ReplicaSet whose controller cannot create pods. The condition dates from the first attempt.
// Later attempts, which may fail for another cause, appear in events.
func (d *diagnosis) refusedToReplicaSet(c *appsv1.ReplicaSetCondition) signal {
	first, message := c.LastTransitionTime.Time, c.Message
	last := first
	events := d.events[d.ReplicaSet.UID]
	if told := newest(events, FailedCreate); told != nil && lastTold(told).After(first) {
		last = lastTold(told)
		if text := strings.TrimPrefix(told.Message, "Error creating: "); refusalCause(text) != refusalCause(message) {
			message, first = text, began(told)
		}
	}
	s := d.refusal(c.Reason, message, first)
	s.object, s.uid = Object{"ReplicaSet", d.ReplicaSet.Name}, d.ReplicaSet.UID
	s.last, s.next, s.asks = last, backOff(first, controllerBackOff), true
	// An annotation would also work, but kubectl's undo copies those to the Deployment.
	s.evidence = []string{fmt.Sprintf("refused last at %s; its controller tries again ever less often, up to 17m apart; "+
		"'kubectl label replicaset %s -n %s retried=$(date +%%s) --overwrite' has it try at once", clock(last), d.ReplicaSet.Name, d.Namespace)}
	return s
}

// refusedToOthers explains why pods of a StatefulSet or DaemonSet, or claims for them, are not created. Only the workload's
// events tell that. A refusal from before the last successful creation has passed.
func (d *diagnosis) refusedToOthers() []signal {
	if d.Missing <= 0 {
		return nil
	}
	var since time.Time
	events := d.events[d.UID]
	made, refused := newest(events, "SuccessfulCreate"), newest(events, FailedCreate)
	switch {
	case refused == nil || made != nil && isLater(made, refused):
		return nil
	case made != nil:
		since = made.LastTimestamp.Time
	}
	s := d.refusal(refused.Reason, refused.Message, time.Time{})
	first := began(refused)
	for _, event := range events {
		// The texts of the same cause may differ, as they name other pods.
		if before := began(event); event.Reason == FailedCreate && before.Before(first) && refusalCause(event.Message) == s.id &&
			(made == nil || isLater(event, made)) {
			first = before
		}
	}
	s.object, s.uid, s.since = d.Workload, d.UID, latest(s.since, latest(since, first))
	s.last, s.next, s.asks = lastTold(refused), backOff(s.since, controllerBackOff), true
	s.evidence = []string{"refused last at " + clock(refused.LastTimestamp.Time) + "; the controller tries again ever less often"}
	return []signal{s}
}

// newest returns the last event with a reason, or nil if there is none.
func newest(events []*corev1.Event, reason string) *corev1.Event {
	var last *corev1.Event
	for _, event := range events {
		if event.Reason == reason && (last == nil || isLater(event, last)) {
			last = event
		}
	}
	return last
}

// isLater reports whether the first event came later than the second. Event times are in full seconds. For equal times the
// larger resourceVersion decides.
func isLater(event, than *corev1.Event) bool {
	if !event.LastTimestamp.Equal(&than.LastTimestamp) {
		return than.LastTimestamp.Before(&event.LastTimestamp)
	}
	order, err := resourceversion.CompareResourceVersion(event.ResourceVersion, than.ResourceVersion)
	return err == nil && order > 0
}

// refusal describes what the API server has refused since a given time.
func (d *diagnosis) refusal(reason, message string, since time.Time) signal {
	s := signal{id: refusalCause(message), reason: reason, message: message, since: since}
	switch s.id {
	case ServiceAccountNotFound:
		s.subject = named(message, `serviceaccount "`, `" not found`)
	case QuotaExceeded:
		if s.now = strings.Contains(message, "must specify"); s.now {
			break // no pod that goes helps with that
		}
		// A quota may only slow a rollout down.
		s.since = latest(s.since, d.madeRoom())
		s.at = d.report.Room
		s.why = "room may be made by pods that go, within 45s after one became ready or had to have ended, and while one comes up"
	}
	return s
}

// refusalCause finds the cause in the API server's words.
func refusalCause(text string) string {
	switch {
	case strings.Contains(text, "exceeded quota"), strings.Contains(text, "failed quota"):
		return QuotaExceeded
	case strings.Contains(text, "violates PodSecurity"):
		return PodSecurityViolated
	case named(text, `serviceaccount "`, `" not found`) != "":
		return ServiceAccountNotFound
	case named(text, "no PriorityClass with name ", " was found") != "":
		return PriorityClassNotFound
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
