package printers

import (
	"encoding/json"
	"io"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// SchemaVersion is the version of the JSON that this package writes. It is raised when a field changes its meaning or goes
// away. New fields may come at any time.
const SchemaVersion = 1

// JSON writes one event per line.
type JSON struct {
	encoder *json.Encoder
	object  Object
}

// NewJSON returns a printer that writes the events of one object to out.
func NewJSON(out io.Writer, object Object) *JSON {
	return &JSON{encoder: newEncoder(out), object: object}
}

// newEncoder returns an encoder that does not escape for HTML.
func newEncoder(out io.Writer) *json.Encoder {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder
}

func (p *JSON) header(at time.Time, kind string) header {
	return header{SchemaVersion: SchemaVersion, Time: at.UTC().Format(time.RFC3339Nano), Type: kind, Object: p.object}
}

func (p *JSON) write(line any) { _ = p.encoder.Encode(line) } // a reader that is gone must not stop a rollout

// Event writes an event.
func (p *JSON) Event(at time.Time, event rollout.Event) {
	switch e := event.(type) {
	case rollout.PlanEvent:
		p.plan(at, e)
	case rollout.CheckEvent:
		p.write(checksEvent{p.header(at, "checks"), checksOf(e.Results)})
	case rollout.StepEvent:
		p.write(stepEvent{p.header(at, "step"), e.Step, e.Of, e.Target})
	case rollout.ProgressEvent:
		p.write(progressEvent{p.header(at, "progress"), podsOf(e), e.Message})
	case rollout.HoldEvent:
		p.write(holdEvent{p.header(at, "hold"), e.Step, e.Of, e.Target, e.For.Seconds(), e.Overshot})
	case rollout.FindingEvent:
		p.write(findingEvent{p.header(at, "finding"), findingOf(e.Finding), e.Finding.String(), e.Again})
	case rollout.RollbackEvent:
		p.write(rollbackEvent{p.header(at, "rollback"), e.Revision, e.Images})
	}
}

func (p *JSON) plan(at time.Time, e rollout.PlanEvent) {
	steps := make([]plannedStep, len(e.Steps))
	for i, step := range e.Steps {
		steps[i] = plannedStep{step.Number, step.As, step.New, step.Old, step.MaxTotal, step.MinAvailable}
	}
	p.write(planEvent{p.header(at, "plan"), e.Replicas, e.Limits.Surge, e.Limits.Unavailable, steps, revisionRefOf(e.From), revisionRefOf(e.To)})
}

func revisionRefOf(of rollout.PlannedRevision) *revisionRef {
	if of.Number == 0 {
		return nil
	}
	return &revisionRef{of.Number, of.Images}
}

// Result writes the last event.
func (p *JSON) Result(at time.Time, result *Result) {
	line := resultEvent{
		header: p.header(at, "result"), ExitCode: result.ExitCode, Message: result.Message, Outcome: result.Outcome,
		Revision: result.Revision, Standing: result.Standing, Notes: result.Notes, Terminating: result.Terminating,
	}
	if line.Message == "" {
		line.Message = result.Title
	}
	if result.Finding != nil {
		line.Finding = findingOf(result.Finding)
	}
	line.Availability = availabilityOf(result.Availability)
	p.write(line)
}

func podsOf(e rollout.ProgressEvent) pods {
	c := e.Counts
	return pods{e.Step, e.Of, e.Target, c.New, c.NewReady, c.Old, c.OldReady, c.Total, c.Ready}
}

func availabilityOf(a *rollout.Availability) *availability {
	if a == nil {
		return nil
	}
	steps := make([]stepTime, len(a.Steps))
	for i, step := range a.Steps {
		steps[i] = stepTime{step.Step, step.Target, step.Duration.Seconds()}
	}
	return &availability{a.Lowest, a.Floor, a.Highest, a.Ceiling, a.Scaled, a.Duration.Seconds(), steps}
}
