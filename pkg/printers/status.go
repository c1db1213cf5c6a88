package printers

import (
	"io"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Status is the state of an object's rollout.
type Status struct {
	Object Object
	Phase  workload.Phase
	// Revision is 0 if it is not known.
	Revision int64
	// View is nil if the object could not be read.
	View *rollout.View
	// Message is kubectl's line, or the error that the command ends with.
	Message string
}

// statusDocument is what `status` writes for each object.
type statusDocument struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	Object
	// Phase is how far the rollout is.
	Phase workload.Phase `json:"phase"`
	// Revision is the number of the newest revision.
	Revision int64 `json:"revision,omitempty"`
	// Counts are the numbers of pods. They are missing if the object could not be read.
	Counts *statusCounts `json:"counts,omitempty"`
	// Step is the step of an open stepwise rollout.
	Step *statusStep `json:"step,omitempty"`
	// Rollout says who looks after an open stepwise rollout.
	Rollout *attendance `json:"rollout,omitempty"`
	// Conditions lists the conditions of the workload: `type`, `status`, `reason`, `message`.
	Conditions []statusCondition `json:"conditions"`
	// Message is kubectl's line, or the error.
	Message string `json:"message"`
	// Finding is why the rollout fails, or may fail.
	Finding *finding `json:"finding,omitempty"`
}

// statusCounts are the numbers of pods.
type statusCounts struct {
	// Desired is the number of pods that the workload is to have.
	Desired int32 `json:"desired"`
	// Updated is how many pods have the newest template.
	Updated int32 `json:"updated"`
	// Ready is how many pods are ready.
	Ready int32 `json:"ready"`
	// Available is how many pods have been ready for `minReadySeconds`.
	Available int32 `json:"available"`
	// Total is the number of all pods.
	Total int32 `json:"total"`
	// Old is how many pods have another template than the newest.
	Old int32 `json:"old"`
	// Unavailable is how many pods are missing or not available.
	Unavailable int32 `json:"unavailable"`
	// Terminating is how many pods are ending. It is missing if that is not known.
	Terminating *int32 `json:"terminating,omitempty"`
}

// statusStep is the step of an open stepwise rollout.
type statusStep struct {
	// Step is the number of the step, from 1.
	Step int `json:"step"`
	// Steps is the number of all steps.
	Steps int `json:"steps"`
	// Target is the number of new pods that the step asks for.
	Target int32 `json:"target"`
	// Overshot is the number of new pods if others have made more than the step asks for.
	Overshot int32 `json:"overshot,omitempty"`
}

// statusCondition is a condition of a workload.
type statusCondition struct {
	// Type is the type of the condition, such as `Available`.
	Type string `json:"type"`
	// Status is `True`, `False` or `Unknown`.
	Status string `json:"status"`
	// Reason is a word for why the condition is so.
	Reason string `json:"reason,omitempty"`
	// Message is a sentence for why the condition is so.
	Message string `json:"message,omitempty"`
}

// WriteStatus writes a status as one line of JSON.
func WriteStatus(out io.Writer, status *Status) {
	document := statusDocument{
		SchemaVersion: SchemaVersion, Object: status.Object, Phase: status.Phase, Revision: status.Revision,
		Conditions: []statusCondition{}, Message: status.Message,
	}
	if status.View != nil {
		document.seen(status.View)
	}
	_ = newEncoder(out).Encode(document) // the reader may be gone
}

// seen adds the state of an object that could be read.
func (d *statusDocument) seen(view *rollout.View) {
	counts := workload.PodCountsOf(view.Workload)
	if counts.Terminating == nil && view.Terminating > 0 {
		counts.Terminating = &view.Terminating
	}
	d.Counts = (*statusCounts)(&counts)
	for _, condition := range workload.ConditionsOf(view.Workload) {
		d.Conditions = append(d.Conditions, statusCondition(condition))
	}
	if record := view.Record; record != nil && view.State == rollout.Open {
		target := rollout.TargetOf(view.Workload, record)
		d.Step = &statusStep{Step: record.Step, Steps: len(record.Plan.Steps), Target: target, Overshot: rollout.Overshot(view.Counts, target)}
	}
	d.Rollout = attendanceOf(view.Attendance)
	if view.Finding != nil {
		d.Finding = findingOf(view.Finding)
	}
}
