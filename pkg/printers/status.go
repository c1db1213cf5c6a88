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

type statusDocument struct {
	SchemaVersion int `json:"schemaVersion"`
	Object
	Phase      workload.Phase    `json:"phase"`
	Revision   int64             `json:"revision,omitempty"`
	Counts     *statusCounts     `json:"counts,omitempty"`
	Step       *statusStep       `json:"step,omitempty"`
	Rollout    *attendance       `json:"rollout,omitempty"`
	Conditions []statusCondition `json:"conditions"`
	Message    string            `json:"message"`
	Finding    *finding          `json:"finding,omitempty"`
}

type statusCounts struct {
	Desired     int32 `json:"desired"`
	Updated     int32 `json:"updated"`
	Ready       int32 `json:"ready"`
	Available   int32 `json:"available"`
	Total       int32 `json:"total"`
	Old         int32 `json:"old"`
	Unavailable int32 `json:"unavailable"`
	// Terminating is left out if it is not known.
	Terminating *int32 `json:"terminating,omitempty"`
}

type statusStep struct {
	Step   int   `json:"step"`
	Steps  int   `json:"steps"`
	Target int32 `json:"target"`
	// Overshot is the number of new pods, if others have created more than the target.
	Overshot int32 `json:"overshot,omitempty"`
}

type statusCondition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
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
