package rollout

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	// Annotation is the one annotation that an open rollout puts on its workload. It holds a Record.
	Annotation = "rollout-plus/rollout"

	recordVersion = 1
)

// Settings are the fields of a Deployment that an open rollout borrows.
type Settings struct {
	Strategy                appsv1.DeploymentStrategy `json:"strategy"`
	MinReadySeconds         int32                     `json:"minReadySeconds"`
	ProgressDeadlineSeconds *int32                    `json:"progressDeadlineSeconds,omitempty"`
}

// SettingsOf reads the fields that a rollout borrows.
func SettingsOf(d *appsv1.Deployment) Settings {
	return Settings{
		Strategy:                *d.Spec.Strategy.DeepCopy(),
		MinReadySeconds:         d.Spec.MinReadySeconds,
		ProgressDeadlineSeconds: d.Spec.ProgressDeadlineSeconds,
	}
}

// Revision names a ReplicaSet, or the ControllerRevision of a StatefulSet or DaemonSet, and the number that it had when the
// rollout began.
type Revision struct {
	ReplicaSet         string `json:"replicaSet,omitempty"`
	ControllerRevision string `json:"controllerRevision,omitempty"`
	Number             int64  `json:"revision"`
}

// is reports whether both are the same revision.
func (r Revision) is(other Revision) bool {
	return r.ReplicaSet == other.ReplicaSet && r.ControllerRevision == other.ControllerRevision
}

func (r Revision) String() string {
	if r.ControllerRevision != "" {
		return fmt.Sprintf("ControllerRevision %q", r.ControllerRevision)
	}
	return fmt.Sprintf("ReplicaSet %q", r.ReplicaSet)
}

// Record is what an open rollout remembers, kept in an annotation of the workload. With it, any process can go on,
// finish or go back. The Deployment controller copies it to the new ReplicaSet. There it survives a `kubectl rollout
// undo`, which replaces the Deployment's annotations.
type Record struct {
	SchemaVersion int `json:"schemaVersion"`
	// Original holds the borrowed fields as they were. A rollback restores them.
	Original Settings `json:"original,omitzero"`
	// Update is what an open rollout of a StatefulSet or DaemonSet borrows instead.
	Update *Update `json:"update,omitempty"`
	// Final holds the borrowed fields that a manifest wants in the end. It is nil if they are as in Original.
	Final *Settings `json:"final,omitempty"`
	// From is the old version.
	From Revision `json:"from"`
	// ToRevision is the revision that the controller gives to the new version. Another revision means that somebody
	// changed the template meanwhile.
	ToRevision int64 `json:"toRevision"`
	// Plan is how the rollout proceeds.
	Plan plan.Plan `json:"plan"`
	// Step is the number, from 1, of the step under way.
	Step int `json:"step"`
	// Gate is the opening that the rollout has written last. It is nil in records of earlier versions.
	Gate *Opening `json:"gate,omitempty"`
	// RollingBack is set while the old version returns with borrowed fields: limits that are not the workload's own, or
	// a lower partition.
	RollingBack bool `json:"rollingBack,omitempty"`
	// Ungated is set in the last step once the step needs no gate. The Deployment then has all borrowed fields back
	// except the deadline.
	Ungated bool `json:"ungated,omitempty"`
	// Held is set while somebody holds the rollout at its step.
	Held bool `json:"held,omitempty"`
	// Owners are the field managers of the fields that the rollout writes, as they were before. Records of earlier
	// versions have none.
	Owners *ownership.Owners `json:"owners,omitempty"`
	// FinalOwners are the owners of the borrowed fields once a manifest is applied, or nil if there is no manifest.
	FinalOwners *ownership.Owners `json:"finalOwners,omitempty"`
	// Ended is set once the workload has all fields back and only their owners have yet to get them.
	Ended Outcome `json:"ended,omitempty"`
	// HoldUntil is when the hold of the step under way ends. It is nil until the driver has begun the hold.
	HoldUntil *metav1.Time `json:"holdUntil,omitempty"`
	// AliveAt is when a driver last gave a sign of life. It is nil in records of earlier versions, whose drivers give none.
	AliveAt *metav1.Time `json:"aliveAt,omitempty"`
	// Rest is set while nobody drives the rollout. A driver that was killed could not set it.
	Rest *Rest `json:"rest,omitempty"`
	// Note is information of the command that began the rollout, for whoever ends it.
	Note json.RawMessage `json:"note,omitempty"`
	// StartedAt is when the rollout began.
	StartedAt metav1.Time `json:"startedAt"`
}

// Target returns the number of new pods after the step under way.
func (r *Record) Target(replicas int32) int32 { return r.Plan.Steps.Target(r.Step-1, replicas) }

// Last reports whether the step under way is the last.
func (r *Record) Last() bool { return r.Step >= len(r.Plan.Steps) }

// Wanted returns the borrowed fields that a rollout leaves behind when it is done.
func (r *Record) Wanted() Settings {
	if r.Final != nil {
		return *r.Final
	}
	return r.Original
}

// ownLimits reports whether the plan's limits are those of the Deployment that a rollback restores.
func (r *Record) ownLimits() bool { return r.Plan.Limits == plan.LimitsOf(r.Original.Strategy) }

func (r *Record) encode() (string, error) {
	text, err := json.Marshal(r)
	return string(text), err
}

func decodeRecord(text string) (*Record, error) {
	var record Record
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		return nil, fmt.Errorf("annotation %s does not parse: %w", Annotation, err)
	}
	if record.SchemaVersion != recordVersion {
		return nil, fmt.Errorf("annotation %s has schemaVersion %d, which this version of kubectl rollout-plus does not know (it knows %d); "+
			"go on with the version that began the rollout", Annotation, record.SchemaVersion, recordVersion)
	}
	if record.Step < 1 || record.Step > len(record.Plan.Steps) || record.Plan.Steps.Validate() != nil {
		return nil, fmt.Errorf("annotation %s has no step %d in %q", Annotation, record.Step, record.Plan.Steps)
	}
	if record.Plan.Limits.AreZero() {
		// Earlier versions began rollouts with zero for both. One missing pod is what that came to, and the API accepts it.
		record.Plan.Limits.Unavailable = intstr.FromInt32(1)
	}
	return &record, nil
}

// decodeFunc decodes a record. Callers must not change the record that it returns.
type decodeFunc func(text string) (*Record, error)

// rememberingDecode returns a decodeFunc that decodes each text once. A session decodes at every change of a pod, while
// the texts of a rollout are few.
func rememberingDecode() decodeFunc {
	type answer struct {
		record *Record
		err    error
	}
	answers := map[string]answer{}
	return func(text string) (*Record, error) {
		known, found := answers[text]
		if !found {
			known.record, known.err = decodeRecord(text)
			answers[text] = known
		}
		return known.record, known.err
	}
}

// State is where a workload stands with regard to stepwise rollouts.
type State int

const (
	// Idle means that no rollout is open.
	Idle State = iota
	// Open means that a rollout stands at a step: the gate is closed, or the last step has left it.
	Open
	// RollingBack means that the old version is returning with borrowed fields: limits that are not the workload's own,
	// or a lower partition.
	RollingBack
	// Disturbed means that somebody opened the gate of an open rollout, while its other fields are still in place.
	Disturbed
)

// OpenRollout finds the open rollout of a Deployment. An annotation alone does not prove one: a ReplicaSet may keep a
// copy of an ended rollout's annotation, which `kubectl rollout undo` puts back onto the Deployment.
func OpenRollout(d *appsv1.Deployment, replicaSets []*appsv1.ReplicaSet) (State, *Record, error) {
	return openRollout(d, replicaSets, decodeRecord)
}

func openRollout(d *appsv1.Deployment, replicaSets []*appsv1.ReplicaSet, decode decodeFunc) (State, *Record, error) {
	if !MayBeOpen(d) {
		return Idle, nil, nil
	}
	gated := isGated(d)
	record, err := latestRecord(d.Annotations[Annotation], replicaSets, decode)
	if err != nil {
		if gated {
			return Open, nil, fmt.Errorf("deployment %q in namespace %q: %w; %s", d.Name, d.Namespace, err, wayOut(d, replicaSets))
		}
		return Idle, nil, nil //nolint:nilerr // a left-over that cannot be read, on a Deployment that nothing was borrowed from
	}
	switch {
	case gated, hasGateDeadline(d) && record.Ungated:
		return Open, record, nil
	case record.Ended != "":
		return Idle, nil, nil
	case record.RollingBack && plan.LimitsOf(d.Spec.Strategy) == record.Plan.Limits:
		return RollingBack, record, nil
	case record.leftBehind(d):
		return Disturbed, record, nil
	}
	return Idle, nil, nil
}

// isMarked reports whether a Deployment has a mark that only our rollouts leave on it. The deadline is no such mark:
// the API reads it as no deadline, which somebody may want for good.
func isMarked(d *appsv1.Deployment) bool {
	_, recorded := d.Annotations[Annotation]
	return recorded || isGated(d)
}

// isGated reports whether a gate is closed on the Deployment.
func isGated(d *appsv1.Deployment) bool { return d.Spec.MinReadySeconds == GateMinReadySeconds }

// hasGateDeadline reports whether the Deployment has the deadline of an open rollout, which means no deadline.
func hasGateDeadline(d *appsv1.Deployment) bool {
	return d.Spec.ProgressDeadlineSeconds != nil && *d.Spec.ProgressDeadlineSeconds == GateProgressDeadlineSeconds
}

// latestRecord returns the newest among the Deployment's own record and the copies on its ReplicaSets.
func latestRecord(own string, replicaSets []*appsv1.ReplicaSet, decode decodeFunc) (*Record, error) {
	latest, err := decode(own)
	if own == "" {
		err = fmt.Errorf("annotation %s is gone, and with it what the Deployment was like before the rollout", Annotation)
	}
	for _, rs := range replicaSets {
		text := rs.Annotations[Annotation]
		if text == "" || text == own {
			continue
		}
		copied, copyErr := decode(text)
		if copyErr == nil && (latest == nil || copied.ToRevision > latest.ToRevision) {
			copied := *copied
			copied.Gate = nil // a copy may be older than the gate on the Deployment
			latest, err = &copied, nil
		}
	}
	return latest, err
}

// MayBeOpen reports from a workload alone whether a stepwise rollout may be open. Without our annotation and without
// any field that a rollout borrows, none is open, and its ReplicaSets need not be read.
func MayBeOpen(workload workload.Object) bool {
	d, is := workload.(*appsv1.Deployment)
	if !is {
		return workload.GetAnnotations()[Annotation] != ""
	}
	return isMarked(d) || hasGateDeadline(d)
}
