package printers

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// Lines prints events as lines to one stream, with the time since the first, and the result to another.
type Lines struct {
	out, progress     io.Writer
	outShade, palette Palette
	object            string
	// annotate adds annotations for GitHub Actions.
	annotate bool
	// back says that the old version returns.
	back  bool
	began time.Time
}

// NewLines returns a printer that writes the result to out and everything else to progress. The object is named as in
// deployment.apps/web.
func NewLines(out, progress io.Writer, onOut, onProgress Palette, object string) *Lines {
	return &Lines{out: out, progress: progress, outShade: onOut, palette: onProgress, object: object}
}

// Annotated sets whether findings also appear as annotations of GitHub Actions.
func (p *Lines) Annotated(yes bool) *Lines {
	p.annotate = yes
	return p
}

// finding prints the cause, then the evidence, then what to run next.
func (p *Lines) finding(at time.Time, f *rollout.Finding) {
	shade := p.palette.bad
	if f.Severity == diagnose.Warning {
		shade = p.palette.busy
	}
	p.line(at, shade.Sprint(labelOf(f))+f.String())
	for _, line := range details(f) {
		_, _ = fmt.Fprintf(p.progress, "%s%s\n", detailIndent, line)
	}
	if p.annotate {
		Annotate(p.progress, f)
	}
}

func (p *Lines) line(at time.Time, text string) {
	if p.began.IsZero() {
		p.began = at
	}
	_, _ = fmt.Fprintf(p.progress, "%s %s\n", p.palette.faint.Sprintf("%8s", "+"+seconds(at.Sub(p.began))), text)
}

// seconds formats a duration for people: 0.1s, 12.3s, 2m5s.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	}
	return d.Round(time.Second).String()
}

// Event writes an event.
func (p *Lines) Event(at time.Time, event rollout.Event) {
	switch e := event.(type) {
	case rollout.PlanEvent:
		p.back = false // undo goes back from an open rollout before it begins its own
		p.line(at, fmt.Sprintf("%s: %d replicas in %s, at most %d above and %d below", p.object, e.Replicas,
			count(len(e.Steps), "step"), e.Limits.Surge, e.Limits.Unavailable))
		if way := WayOf(e); way != "" {
			p.line(at, way)
		}
	case rollout.CheckEvent:
		for _, line := range CheckLines(p.palette, e.Results) {
			p.line(at, line)
		}
		if p.annotate {
			CheckAnnotations(p.progress, p.object, e.Results)
		}
	case rollout.StepEvent:
		p.line(at, p.palette.busy.Sprintf("step %d/%d: to %s", e.Step, e.Of, count(int(e.Target), "new pod")))
	case rollout.ProgressEvent:
		p.line(at, progress(e, p.back))
	case rollout.HoldEvent:
		text := fmt.Sprintf("step %d/%d: ready, watched for %s", e.Step, e.Of, e.For)
		if e.Overshot > 0 {
			text += fmt.Sprintf("; others have overshot the step: %d pods are new where it asks for %d", e.Overshot, e.Target)
		}
		p.line(at, text)
	case rollout.FindingEvent:
		if e.Again {
			p.line(at, Reminder(e.Finding))
			return
		}
		p.finding(at, e.Finding)
	case rollout.RollbackEvent:
		p.back = true
		p.line(at, p.palette.bad.Sprint("rolling back")+fmt.Sprintf(" to what was revision %d%s", e.Revision, withImages(e.Images)))
	}
}

// withImages formats the images of a revision to follow its number.
func withImages(images []string) string {
	if len(images) == 0 {
		return ""
	}
	return " (" + strings.Join(images, ", ") + ")"
}

// progress describes the pods. During a rollback, the event counts the pods of the returning old version as new.
func progress(e rollout.ProgressEvent, back bool) string {
	if e.Message != "" {
		return e.Message
	}
	c := e.Counts
	if back {
		return fmt.Sprintf("going back: old version %d/%d ready, abandoned version %d, total %d, available %d", c.NewReady, e.Target, c.Old, c.Total, c.Ready)
	}
	where := fmt.Sprintf("step %d/%d", e.Step, e.Of)
	if e.Step == 0 {
		where = "ending"
	}
	return fmt.Sprintf("%s: new %d/%d ready, old %d, total %d, available %d", where, c.NewReady, e.Target, c.Old, c.Total, c.Ready)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Result writes the result line and what the rollout did to the service.
func (p *Lines) Result(_ time.Time, result *Result) {
	if result.Title != "" {
		shade := p.outShade.good
		if result.ExitCode != 0 {
			shade = p.outShade.bad
		}
		_, _ = fmt.Fprintln(p.out, shade.Sprint(result.Title))
	}
	if a := result.Availability; a != nil {
		p.availability(a)
	}
	for _, note := range result.Notes {
		_, _ = fmt.Fprintln(p.out, note)
	}
}

// availability prints what the rollout did to the service.
func (p *Lines) availability(a *rollout.Availability) {
	_, _ = fmt.Fprintf(p.out, "lowest ready %d (floor %d), highest total %d (ceiling %d), took %s\n",
		a.Lowest, a.Floor, a.Highest, a.Ceiling, seconds(a.Duration))
	if a.Scaled {
		_, _ = fmt.Fprintln(p.out, "replicas were changed meanwhile: floor and ceiling are of the closest moment")
	}
	for _, step := range a.Steps {
		_, _ = fmt.Fprintf(p.out, "step %d (%s) took %s\n", step.Step, count(int(step.Target), "new pod"), seconds(step.Duration))
	}
}
