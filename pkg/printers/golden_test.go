package printers

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata; go test ./pkg/printers -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// happening is an event and when it was, in milliseconds after the start.
type happening struct {
	after int
	event rollout.Event
}

var began = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func samplePlan() rollout.PlanEvent {
	return rollout.PlanEvent{Replicas: 8, Limits: plan.Resolved{Surge: 2, Unavailable: 1}, Steps: []plan.StepPreview{
		{Number: 1, As: "1", New: 1, Old: 7, MaxTotal: 8, MinAvailable: 7},
		{Number: 2, As: "25%", New: 2, Old: 6, MaxTotal: 8, MinAvailable: 7},
		{Number: 3, As: "100%", New: 8, Old: 0, MaxTotal: 10, MinAvailable: 7},
	}, From: rollout.PlannedRevision{Number: 4, Images: []string{"web:v1", "side:v1"}}, To: rollout.PlannedRevision{Number: 5, Images: []string{"web:v2", "side:v1"}}}
}

func crash() *rollout.Finding {
	return &rollout.Finding{
		ID: "CrashLoopBackOff", Severity: diagnose.Fatal, Reason: "CrashLoopBackOff", Message: "back-off 10s\n restarting", Pod: "web-5d9c-x7", Container: "app", ExitCode: ptr.To[int32](1), Pods: 2,
		Logs:     []string{"listening", "panic: no <database> & no hope"},
		Objects:  []diagnose.Object{{Kind: "Pod", Name: "web-5d9c-x7"}, {Kind: "Pod", Name: "web-5d9c-y8"}},
		Evidence: []string{"Back-off restarting failed container"}, Remedy: []string{"kubectl logs web-5d9c-x7 -c app -n shop --previous"},
	}
}

// history has every event in it.
func historyLog() []happening {
	return []happening{
		{0, samplePlan()},
		{40, rollout.StepEvent{Step: 1, Of: 3, Target: 1}},
		{150, rollout.ProgressEvent{Step: 1, Of: 3, Target: 1, Counts: rollout.Counts{New: 1, Old: 8, OldReady: 8, Total: 9, Ready: 8}}},
		{59_940, rollout.ProgressEvent{Step: 1, Of: 3, Target: 1, Counts: rollout.Counts{New: 1, NewReady: 1, Old: 7, OldReady: 7, Total: 8, Ready: 8}}},
		{60_000, rollout.HoldEvent{Step: 1, Of: 3, Target: 1, For: 90 * time.Second}},
		{150_400, rollout.StepEvent{Step: 2, Of: 3, Target: 2}},
		{151_000, rollout.ProgressEvent{Step: 2, Of: 3, Target: 2, Message: "no connection to the API server; the rollout stands still until it is back"}},
		{200_000, rollout.FindingEvent{Finding: crash()}},
		{200_100, rollout.RollbackEvent{Revision: 4}},
		{3_700_000, rollout.ProgressEvent{Target: 8, Counts: rollout.Counts{New: 8, NewReady: 8, Total: 8, Ready: 8}}},
	}
}

// results are one of each sort.
func results() map[string]*Result {
	return map[string]*Result{
		"done": {
			Title: "deployment.apps/web rolled out (revision 5)",
			Result: &rollout.Result{Outcome: rollout.Done, Revision: 5, Availability: &rollout.Availability{
				Lowest: 7, Floor: 7, Highest: 10, Ceiling: 10, Scaled: true, Duration: 125 * time.Second,
				Steps: []rollout.StepTime{{Step: 1, Target: 1, Duration: 1500 * time.Millisecond}, {Step: 2, Target: 8, Duration: 123 * time.Second}},
			}},
		},
		"rolled-back": {
			Title: "deployment.apps/web rolled back (revision 6)", Message: "the rollout failed", ExitCode: 5,
			Result: &rollout.Result{Outcome: rollout.RolledBack, Revision: 6, Finding: crash()},
		},
		"failed": {
			Message: "the rollout failed; it stands still", ExitCode: 4,
			Result: &rollout.Result{Outcome: rollout.Failed, Revision: 6, Standing: true},
		},
		"error": {Message: "there is no deployment", ExitCode: 1, Result: &rollout.Result{Outcome: rollout.Errored}},
	}
}

func tell(p Printer) {
	for _, happened := range historyLog() {
		p.Event(began.Add(time.Duration(happened.after)*time.Millisecond), happened.event)
	}
}

// A command that goes back from an open rollout before it begins its own counts new pods again after that.
func TestARolloutAfterTheWayBack(t *testing.T) {
	t.Parallel()
	var out, progress bytes.Buffer
	p := NewLines(&out, &progress, NewPalette(false), NewPalette(false), "deployment.apps/web")
	for _, event := range []rollout.Event{
		rollout.RollbackEvent{Revision: 4}, samplePlan(), rollout.ProgressEvent{Step: 1, Of: 3, Target: 1, Counts: rollout.Counts{New: 1, Old: 8, Total: 9, Ready: 8}},
	} {
		p.Event(time.Time{}, event)
	}
	if told := progress.String(); !strings.Contains(told, "step 1/3: new 0/1 ready, old 8") {
		t.Errorf("told %s", told)
	}
}
