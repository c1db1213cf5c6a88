package printers

import (
	"bytes"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// The first line names the state of an open rollout as its JSON does, and a failure before that.
func TestExplainNamesTheState(t *testing.T) {
	t.Parallel()
	for want, told := range map[string]rollout.Explanation{
		"complete":      {Phase: workload.Complete},
		"driven":        {Phase: workload.Standing, Attendance: &rollout.Attendance{State: rollout.Driven}},
		"held":          {Phase: workload.Standing, Attendance: &rollout.Attendance{State: rollout.Held}},
		"left standing": {Phase: workload.Standing, Attendance: &rollout.Attendance{State: rollout.Left}},
		"orphaned":      {Phase: workload.Standing, Attendance: &rollout.Attendance{State: rollout.Orphaned}},
		"rolling back":  {Phase: workload.Progressing, Attendance: &rollout.Attendance{State: rollout.Returning}},
		"failed":        {Phase: workload.PhaseFailed, Attendance: &rollout.Attendance{State: rollout.Driven}},
	} {
		var out bytes.Buffer
		told.Workload = &appsv1.Deployment{}
		ExplainText(&out, NewPalette(false), "deployment.apps/web", &told)
		if got := out.String(); !strings.HasPrefix(got, "deployment.apps/web: "+want+", ") {
			t.Errorf("%s: got %s", want, got)
		}
	}
}
