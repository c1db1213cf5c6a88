package rollout

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// foreignTemplate answers a template that is not the rollout's: one that was set back ends the rollout, another stops it.
func foreignTemplate(s *Snapshot, record *Record, current *appsv1.ReplicaSet) action {
	if current.Name == record.From.ReplicaSet {
		return finish{outcome: RolledBack}
	}
	message := fmt.Sprintf("the pod template was changed%s during the rollout, to revision %d where revision %d was under way",
		lastWriter(s.Deployment), RevisionOf(s.Deployment), record.ToRevision)
	if !isGated(s.Deployment) {
		return part{message + "; nothing held it at its last step any more, and the Deployment controller goes on by itself"}
	}
	return stop{outcome: Overtaken, message: message}
}

// lastWriter names the field manager, other than the rollout's own, that has written the workload since the rollout
// last did, as far as it is recorded: who only sets a field to nothing is not. The time stamps have full seconds; what
// tells the rollout's own entry is that it holds the record.
func lastWriter(w Workload) string {
	var manager string
	var at, own time.Time
	for _, entry := range w.GetManagedFields() {
		switch {
		case entry.Subresource != "" || entry.Time == nil || entry.FieldsV1 == nil:
		case strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+Annotation+`"`):
			own = entry.Time.Time
		case !entry.Time.Time.Before(at):
			manager, at = entry.Manager, entry.Time.Time
		}
	}
	if manager == "" || at.Before(own) {
		return ""
	}
	return " by " + manager
}
