package printers

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

func newLines(colour bool) (lines *Lines, out, progress *bytes.Buffer) {
	out, progress = &bytes.Buffer{}, &bytes.Buffer{}
	return NewLines(out, progress, NewPalette(colour), NewPalette(colour), "deployment.apps/web"), out, progress
}

func TestLines(t *testing.T) {
	t.Parallel()
	lines, out, progress := newLines(false)
	tell(lines)
	golden(t, "lines.txt", progress.Bytes())
	if out.Len() != 0 {
		t.Errorf("progress on standard output: %q", out)
	}
}

func TestLinesResults(t *testing.T) {
	t.Parallel()
	for name, result := range results() {
		lines, out, progress := newLines(false)
		lines.Result(began, result)
		golden(t, "lines-"+name+".txt", out.Bytes())
		if progress.Len() != 0 {
			t.Errorf("%s: a result on standard error: %q", name, progress)
		}
	}
}

func TestAFindingAsAWhole(t *testing.T) {
	t.Parallel()
	fatal := crash()
	const rest = `pod web-5d9c-x7, container app: CrashLoopBackOff: back-off 10s restarting (exit code 1) (2 pods alike)
         evidence: Back-off restarting failed container
         | listening
         | panic: no <database> & no hope
         next: kubectl logs web-5d9c-x7 -c app -n shop --previous`
	if got := Finding(fatal); got != "failed: "+rest {
		t.Errorf("got %s", got)
	}
	fatal.Severity = diagnose.Warning
	if got := Finding(fatal); got != "warning: "+rest {
		t.Errorf("got %s", got)
	}
}

// A check that ends a job is shown by GitHub Actions, those that do not are not.
func TestChecksInActions(t *testing.T) {
	t.Parallel()
	results := []preflight.Result{
		{ID: preflight.ImageTag, Status: preflight.Warn, Message: "latest"},
		{ID: preflight.QuotaRoom, Status: preflight.Fail, Message: "100% is\ntaken"},
		{ID: preflight.Autoscaler, Status: preflight.Skip, Message: "a DaemonSet has no replicas", OfOthers: true},
	}
	for annotated, want := range map[bool]string{
		false: "",
		true:  "::error title=QuotaRoom::deployment.apps/web: 100%25 is%0Ataken\n",
	} {
		lines, _, progress := newLines(false)
		lines.Annotated(annotated).Event(began, rollout.CheckEvent{Results: results})
		const told = "   +0.0s check WARN ImageTag: latest\n   +0.0s check FAIL QuotaRoom: 100% is\ntaken\n"
		if got := progress.String(); got != told+want {
			t.Errorf("got %s", got)
		}
	}
}

// TestLinesFitAnEightyColumnTerminal even with four-digit counts; what Kubernetes says itself is as long as it is.
func TestLinesFitAnEightyColumnTerminal(t *testing.T) {
	t.Parallel()
	lines, out, progress := newLines(false)
	lines.Event(began, rollout.ProgressEvent{Step: 10, Of: 10, Target: 1000, Counts: rollout.Counts{
		New: 1000, NewReady: 1000, Old: 1000, OldReady: 1000, Total: 2000, Ready: 2000,
	}})
	lines.Event(began, rollout.StepEvent{Step: 10, Of: 10, Target: 1000})
	lines.Result(began, results()["done"])
	for line := range strings.SplitSeq(progress.String()+out.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestColourAddsNothingToRead takes the colours away again and finds the same text: state is never told by them alone.
func TestColourAddsNothingToRead(t *testing.T) {
	t.Parallel()
	plain, plainOut, plainProgress := newLines(false)
	coloured, out, progress := newLines(true)
	for _, p := range []*Lines{plain, coloured} {
		tell(p)
		p.Result(began, results()["done"])
		p.Result(began, results()["rolled-back"])
	}
	for name, streams := range map[string][2]*bytes.Buffer{"out": {plainOut, out}, "progress": {plainProgress, progress}} {
		if !strings.Contains(streams[1].String(), "\x1b[") {
			t.Errorf("%s: no colour", name)
		}
		if strings.Contains(streams[0].String(), "\x1b") {
			t.Errorf("%s: colour where there should be none", name)
		}
		if got := withoutColour(streams[1].String()); got != streams[0].String() {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, streams[0])
		}
	}
}

func withoutColour(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "\x1b[") {
		if i > 0 {
			_, part, _ = strings.Cut(part, "m")
		}
		b.WriteString(part)
	}
	return b.String()
}

func TestPlanTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := PlanTable(&out, samplePlan()); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", out.Bytes())
}

// A reminder leaves out the middle of a long message. The counts and the innermost error stand at its end.
func TestRemindersAreShort(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"": "",
		"the container ended after 0s, restarts: 3; it runs again for now": ": the container ended after 0s, restarts: 3; it runs again for now",
		`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "example/pause:1": failed to pull image "example/pause:1": failed to resolve reference "example/pause:1": failed to do request: Head "http://example/v2/pause/manifests/1": dial tcp 127.0.0.1:80: connect: connection refused`: `: Failed to create pod sandbox: rpc error: code = ... "http://example/v2/pause/manifests/1": dial tcp 127.0.0.1:80: connect: connection refused`,
		"Pod was rejected: Node didn't have enough resource: memory, requested: 966367641600, used: 377487360, capacity: 25276502016; 165 pods have ended so in 10s, on node a, and their controller makes others":                                                                                                                  ": Pod was rejected: Node didn't have enough ... 25276502016; 165 pods have ended so in 10s, on node a, and their controller makes others",
	} {
		finding := &rollout.Finding{ID: "Cause", Severity: diagnose.Warning, Message: message, Grace: &diagnose.Grace{Until: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Left: 55 * time.Second}}
		if got := Reminder(finding); got != "warning: Cause"+want+"; fatal at 12:00:00Z, in 55s" {
			t.Errorf("got %q", got)
		}
		if finding.Message != message {
			t.Errorf("the finding itself is changed: %q", finding.Message)
		}
	}
}
