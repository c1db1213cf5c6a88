package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func TestWhatStandsInTheWay(t *testing.T) {
	t.Parallel()
	daemon := func(updated, ready int32) *appsv1.DaemonSet {
		return &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 3, CurrentNumberScheduled: 3, UpdatedNumberScheduled: updated, NumberReady: ready}}
	}
	set := &appsv1.StatefulSet{}
	d := &appsv1.Deployment{}
	restarted := Finding{ID: diagnose.ContainerRestarted, Severity: diagnose.Warning}
	crash := Finding{ID: diagnose.CrashLoopBackOff, Severity: diagnose.Fatal}
	hook := Finding{ID: diagnose.FailedPreStopHook, Severity: diagnose.Warning}
	open := Finding{ID: diagnose.RolloutOpen, Severity: diagnose.Warning}
	for name, test := range map[string]struct {
		e    Explanation
		want bool
	}{
		"complete":                         {Explanation{Workload: d, Phase: workload.Complete, Findings: []Finding{restarted}}, false},
		"complete, and fatal":              {Explanation{Workload: d, Phase: workload.Complete, Findings: []Finding{crash}}, true},
		"progressing":                      {Explanation{Workload: d, Phase: workload.Progressing, Findings: []Finding{restarted}}, true},
		"a pod ends without its hook":      {Explanation{Workload: d, Phase: workload.Progressing, Findings: []Finding{hook}}, false},
		"partitioned":                      {Explanation{Workload: set, Phase: workload.Partitioned, Findings: []Finding{restarted}}, false},
		"on delete, and none is old":       {Explanation{Workload: daemon(3, 3), Phase: workload.OnDelete, Findings: []Finding{restarted}}, false},
		"on delete, and one is not ready":  {Explanation{Workload: daemon(3, 2), Phase: workload.OnDelete, Findings: []Finding{restarted}}, true},
		"on delete, and one is old":        {Explanation{Workload: daemon(2, 3), Phase: workload.OnDelete, Findings: []Finding{restarted}}, true},
		"a rollout that may be driven":     {Explanation{Workload: d, Phase: workload.Standing, moves: true, Findings: []Finding{open}}, false},
		"a rollout that nobody drives":     {Explanation{Workload: d, Phase: workload.Standing, Findings: []Finding{open}}, true},
		"one that is driven into a wall":   {Explanation{Workload: d, Phase: workload.Standing, moves: true, Findings: []Finding{crash, open}}, true},
		"one that is driven, and restarts": {Explanation{Workload: d, Phase: workload.Standing, moves: true, Findings: []Finding{restarted, open}}, true},
	} {
		if got := test.e.InTheWay(); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
