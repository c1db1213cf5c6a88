package rollout

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// foreignTemplate returns the action for a template that is not the rollout's. The old version's template ends the rollout, and
// any other template stops it.
func foreignTemplate(s *Snapshot, record *Record, current *appsv1.ReplicaSet) action {
	if current.Name == record.From.ReplicaSet {
		return finish{outcome: RolledBack, why: setBack(s.deployment(), record)}
	}
	message := fmt.Sprintf("the pod template was changed%s during the rollout, to revision %d where revision %d was under way",
		lastWriter(s.deployment()), workload.RevisionOf(s.deployment()), record.ToRevision)
	if !isGated(s.deployment()) {
		return part{message + "; nothing held it at its last step any more, and the Deployment controller goes on by itself"}
	}
	return stop{outcome: Overtaken, message: message}
}

// lastWriter names the field manager that last wrote the workload after the rollout itself did, as " by NAME". It returns "" if
// there is none, or if that is not recorded: a manager that only removes fields leaves no trace. Time stamps have full seconds,
// so a write in the rollout's own second counts as later. The rollout's own entry is the one that holds the record.
func lastWriter(w workload.Object) string {
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

// setBack says who has set a workload's pod template back to the old version's.
func setBack(w workload.Object, record *Record) string {
	writer := writerOf(w, []string{"spec", "template"})
	return fmt.Sprintf("the pod template was set back%s during the rollout to that of revision %d", writer, record.From.Number)
}

// EndedBy says who ended an open rollout while nobody drove it, by changing the fields that held it at its step.
func EndedBy(w workload.Object, record *Record) string {
	where := fmt.Sprintf("a rollout stood at step %d of %d until ", record.Step, len(record.Plan.Steps))
	d, is := w.(*appsv1.Deployment)
	if !is {
		return where + "spec.updateStrategy was changed" + strategyWriter(w, record) + " to " + updateStrategyText(w) + ", which ended it"
	}
	return where + fmt.Sprintf("spec.minReadySeconds was changed%s to %d, which ended it; other fields are still the rollout's",
		writerOf(w, []string{"spec", "minReadySeconds"}), d.Spec.MinReadySeconds)
}

// rewritten reports whether others have written over the strategy of a closed gate.
func (r *Record) rewritten(w workload.Object) bool {
	d, is := w.(*appsv1.Deployment)
	return is && isGated(d) && r.Gate != nil && r.foreign(d)
}

// freed returns a workload with its own fields, after others ended a rollout on it and left borrowed fields behind.
func (s *session) freed(w workload.Object, record *Record) workload.Object {
	own := gateOf(w).own(w, record)
	if own != w {
		s.emit(ProgressEvent{Message: EndedBy(w, record)})
	}
	return own
}

// wayOut names the command that frees a Deployment whose record is lost. The ReplicaSets of older versions still have its own
// minReadySeconds. The other values are the defaults of the API.
func wayOut(d *appsv1.Deployment, replicaSets []*appsv1.ReplicaSet) string {
	var newest int64
	var seconds int32
	for _, rs := range replicaSets {
		if rs.Spec.MinReadySeconds != GateMinReadySeconds && workload.RevisionOf(rs) > newest {
			newest, seconds = workload.RevisionOf(rs), rs.Spec.MinReadySeconds
		}
	}
	const strategy = `{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}}`
	patch := fmt.Sprintf(`{"spec":{"minReadySeconds":%d,"progressDeadlineSeconds":%d,"strategy":%s}}`, seconds, max(seconds+1, 600), strategy)
	return command.Quoted("kubectl patch deployment/%s -n %s --type merge -p %s", d.Name, d.Namespace, command.Word(patch)) +
		" frees it with Kubernetes' default limits, and its controller goes on by itself"
}
