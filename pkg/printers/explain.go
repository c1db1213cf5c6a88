package printers

import (
	"fmt"
	"io"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// explainDocument is what `explain` writes.
type explainDocument struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Object is the workload: `apiVersion`, `kind`, `namespace`, `name`.
	Object Object `json:"object"`
	// Phase is how far the rollout is, as for `status`.
	Phase workload.Phase `json:"phase"`
	// InTheWay is true if something stands in the way. The exit code is 4 then.
	InTheWay bool `json:"inTheWay"`
	// Counts are the numbers of pods, as for `status`.
	Counts statusCounts `json:"counts"`
	// Rollout says who looks after an open stepwise rollout, as for `status`.
	Rollout *attendance `json:"rollout,omitempty"`
	// Findings lists the causes, the gravest first.
	Findings []*finding `json:"findings"`
	// Notes lists what could not be read.
	Notes []string `json:"notes,omitempty"`
}

// ExplainJSON writes the explanation of a workload as one line of JSON: what is in the way of its rollout.
func ExplainJSON(out io.Writer, object Object, told *rollout.Explanation) {
	document := explainDocument{
		SchemaVersion: SchemaVersion, Object: object, Phase: told.Phase, InTheWay: told.InTheWay(),
		Counts: statusCounts(workload.PodCountsOf(told.Workload)), Rollout: attendanceOf(told.Attendance), Findings: []*finding{},
	}
	for i := range told.Findings {
		document.Findings = append(document.Findings, findingOf(&told.Findings[i]))
	}
	for _, blind := range told.Blind {
		document.Notes = append(document.Notes, blind.Error())
	}
	_ = newEncoder(out).Encode(document) // the reader may be gone
}

// stateOf returns the state of a workload in words. A fatal finding comes before an open rollout.
func stateOf(told *rollout.Explanation) string {
	if told.Attendance == nil || told.Phase == workload.PhaseFailed {
		return string(told.Phase)
	}
	switch state := told.Attendance.State; state {
	case rollout.Left:
		return "left standing"
	case rollout.Returning:
		return "rolling back"
	default:
		return string(state)
	}
}

// ExplainText writes the explanation of a workload for people: a summary, then the findings, the gravest first.
func ExplainText(out io.Writer, palette Palette, name string, told *rollout.Explanation) {
	c := workload.PodCountsOf(told.Workload)
	summary := fmt.Sprintf("%s: %s, %d of %d pods ready, %d of the newest template", name, stateOf(told), c.Ready, c.Desired, c.Updated)
	if told.InTheWay() {
		summary += ", " + count(len(told.Findings), "finding")
	} else {
		summary += "; nothing stands in the way"
	}
	_, _ = fmt.Fprintln(out, summary)
	for i := range told.Findings {
		f := &told.Findings[i]
		label := palette.bad.Sprint(f.Severity)
		if f.Severity == diagnose.Warning {
			label = palette.busy.Sprint(f.Severity)
		}
		_, _ = fmt.Fprintf(out, "\n%s: %s\n", label, f)
		for _, line := range details(f) {
			_, _ = fmt.Fprintf(out, "  %s\n", line)
		}
	}
}
