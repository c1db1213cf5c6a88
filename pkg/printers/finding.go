package printers

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// finding is one cause that stands in the way.
type finding struct {
	// ID is the cause, from [causes.md](causes.md). IDs do not change.
	ID string `json:"id"`
	// Severity is `fatal` or `warning`.
	Severity string `json:"severity"`
	// Reason is Kubernetes' own word for the cause.
	Reason string `json:"reason"`
	// Objects lists the objects that have the problem: `kind`, `name`.
	Objects []findingObject `json:"objects"`
	// Pod is one of the pods that have the problem.
	Pod string `json:"pod,omitempty"`
	// Container is the container in that pod.
	Container string `json:"container,omitempty"`
	// Pods is the number of pods that have the problem.
	Pods int `json:"pods,omitempty"`
	// Count is the number of `objects`.
	Count int `json:"count"`
	// ExitCode is the exit code of the container.
	ExitCode *int32 `json:"exitCode,omitempty"`
	// Detail is the text that Kubernetes has for it.
	Detail string `json:"detail,omitempty"`
	// Message is one sentence, as people read it.
	Message string `json:"message"`
	// Evidence lists further facts.
	Evidence []string `json:"evidence"`
	// Remedy lists commands to run next.
	Remedy []string `json:"remedy"`
	// Grace is how long the finding is only a warning.
	Grace *findingGrace `json:"grace,omitempty"`
	// Logs lists the last log lines of the container.
	Logs []string `json:"logs,omitempty"`
}

// findingObject names an object that has the problem.
type findingObject struct {
	// Kind is the kind of the object.
	Kind string `json:"kind"`
	// Name is the name of the object.
	Name string `json:"name"`
}

// findingGrace is how long a finding is only a warning.
type findingGrace struct {
	// Seconds is the whole time.
	Seconds float64 `json:"seconds"`
	// Left is the time that is left.
	Left float64 `json:"secondsLeft"`
	// Until is the moment when the finding becomes fatal.
	Until string `json:"until"`
	// Why says where the time comes from.
	Why string `json:"why"`
}

func findingOf(f *rollout.Finding) *finding {
	told := &finding{
		ID: f.ID, Severity: string(f.Severity), Reason: f.Reason, Objects: []findingObject{}, Pod: f.Pod, Container: f.Container, Pods: f.Pods,
		Count: len(f.Objects), ExitCode: f.ExitCode, Detail: f.Message, Message: f.String(),
		Evidence: append([]string{}, f.Evidence...), Remedy: append([]string{}, f.Remedy...), Logs: f.Logs,
	}
	for _, object := range f.Objects {
		told.Objects = append(told.Objects, findingObject(object))
	}
	if f.Grace != nil {
		told.Grace = &findingGrace{f.Grace.Length.Seconds(), f.Grace.Left.Seconds(), f.Grace.Until.UTC().Format(time.RFC3339), f.Grace.Why}
	}
	return told
}

const detailIndent = "         "

// details returns the lines below a finding: evidence, log lines, the time left, and what to run next.
func details(f *rollout.Finding) []string {
	var lines []string
	for _, evidence := range f.Evidence {
		lines = append(lines, "evidence: "+strings.Join(strings.Fields(evidence), " "))
	}
	for _, line := range f.Logs {
		lines = append(lines, "| "+line)
	}
	if f.Grace != nil && f.Severity == diagnose.Warning {
		lines = append(lines, fmt.Sprintf("%s: %s", timeLeft(f), f.Grace.Why))
	}
	for _, remedy := range f.Remedy {
		lines = append(lines, "next: "+remedy)
	}
	return lines
}

// timeLeft says when a warning becomes a failure.
func timeLeft(f *rollout.Finding) string {
	return fmt.Sprintf("fatal at %s, in %s", f.Grace.Until.UTC().Format(time.TimeOnly+"Z"), f.Grace.Left.Round(time.Second))
}

// headWords and tailWords are how many characters of a long message a reminder keeps at its beginning and its end. Counts and the
// innermost error stand at the end.
const headWords, tailWords = 50, 90

// Reminder returns one line for a warning that was reported before, with the time left. It shortens a long message.
func Reminder(f *rollout.Finding) string {
	short := *f
	short.Message = abridged(f.Message)
	text := labelOf(f) + short.String()
	if f.Grace != nil {
		text += "; " + timeLeft(f)
	}
	return text
}

// abridged leaves out words in the middle of a long text.
func abridged(text string) string {
	words := strings.Fields(text)
	head, tail := 0, len(words)
	for length := 0; head < tail && length+len(words[head]) < headWords; head++ {
		length += len(words[head]) + 1
	}
	for length := 0; head < tail && length+len(words[tail-1]) < tailWords; tail-- {
		length += len(words[tail-1]) + 1
	}
	if head == tail {
		return text
	}
	return strings.Join(words[:head], " ") + " ... " + strings.Join(words[tail:], " ")
}

// Finding returns a finding with all its details, for commands that print nothing else about a rollout.
func Finding(f *rollout.Finding) string {
	return strings.Join(append([]string{labelOf(f) + f.String()}, details(f)...), "\n"+detailIndent)
}

// labelOf returns the beginning of a finding's line.
func labelOf(f *rollout.Finding) string {
	if f.Severity == diagnose.Warning {
		return "warning: "
	}
	return "failed: "
}

// Annotate writes a finding as an annotation that GitHub Actions reads from a command's output.
func Annotate(out io.Writer, f *rollout.Finding) {
	kind := "error"
	if f.Severity == diagnose.Warning {
		kind = "warning"
	}
	text := f.String()
	if len(f.Remedy) > 0 {
		text += "\nnext: " + f.Remedy[0]
	}
	command(out, annotation(kind, f.ID, text))
}

func annotation(kind, title, text string) string {
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	return fmt.Sprintf("::%s title=%s::%s", kind, title, escape.Replace(text))
}
