package rollout

import (
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// TestPreviewIsWhatTheStepsReach walks every order in which a step's pods can become ready, one at a time, and compares
// the extremes with the preview.
func TestPreviewIsWhatTheStepsReach(t *testing.T) {
	t.Parallel()
	for _, steps := range []string{"1,25%,50%,100%", "100%", "2,90%,100%"} {
		for _, limits := range []plan.Limits{limitsOf("1", "0"), limitsOf("0", "1"), limitsOf("25%", "25%"), limitsOf("3", "2")} {
			for replicas := int32(1); replicas <= 40; replicas++ {
				checkPreview(t, steps, limits, replicas)
			}
		}
	}
}

func checkPreview(t *testing.T, text string, limits plan.Limits, replicas int32) {
	t.Helper()
	steps, err := stepsOf(text).For(replicas)
	if err != nil {
		return
	}
	planned, err := preview(plan.Plan{Steps: steps, Limits: limits}, replicas)
	if err != nil || len(planned) != len(steps) {
		t.Fatalf("%s at %d: %v, %v", text, replicas, planned, err)
	}
	resolved, err := limits.At(replicas)
	if err != nil {
		t.Fatal(err)
	}
	var ready int32
	for i, step := range planned {
		target := steps.Target(i, replicas)
		most, least := replicas, replicas
		for ; ready <= target; ready++ {
			gate := NextWidth(target, ready, resolved)
			most = max(most, replicas+gate.Surge)
			least = min(least, replicas-gate.Unavailable+ready)
		}
		ready = target
		want := plan.StepPreview{Number: i + 1, As: steps[i].String(), New: target, Old: replicas - target, MaxTotal: most, MinAvailable: least}
		if step != want {
			t.Errorf("%s, %s at %d: got %+v, want %+v", text, limitsText(limits), replicas, step, want)
		}
	}
	if last := planned[len(planned)-1]; last.New != replicas || last.Old != 0 {
		t.Errorf("%s at %d ends with %+v", text, replicas, last)
	}
}
