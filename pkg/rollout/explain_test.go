package rollout

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
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
		"complete":                         {Explanation{Workload: d, Phase: Complete, Findings: []Finding{restarted}}, false},
		"complete, and fatal":              {Explanation{Workload: d, Phase: Complete, Findings: []Finding{crash}}, true},
		"progressing":                      {Explanation{Workload: d, Phase: Progressing, Findings: []Finding{restarted}}, true},
		"a pod ends without its hook":      {Explanation{Workload: d, Phase: Progressing, Findings: []Finding{hook}}, false},
		"partitioned":                      {Explanation{Workload: set, Phase: Partitioned, Findings: []Finding{restarted}}, false},
		"on delete, and none is old":       {Explanation{Workload: daemon(3, 3), Phase: OnDelete, Findings: []Finding{restarted}}, false},
		"on delete, and one is not ready":  {Explanation{Workload: daemon(3, 2), Phase: OnDelete, Findings: []Finding{restarted}}, true},
		"on delete, and one is old":        {Explanation{Workload: daemon(2, 3), Phase: OnDelete, Findings: []Finding{restarted}}, true},
		"a rollout that may be driven":     {Explanation{Workload: d, Phase: Standing, moves: true, Findings: []Finding{open}}, false},
		"a rollout that nobody drives":     {Explanation{Workload: d, Phase: Standing, Findings: []Finding{open}}, true},
		"one that is driven into a wall":   {Explanation{Workload: d, Phase: Standing, moves: true, Findings: []Finding{crash, open}}, true},
		"one that is driven, and restarts": {Explanation{Workload: d, Phase: Standing, moves: true, Findings: []Finding{restarted, open}}, true},
	} {
		if got := test.e.InTheWay(); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// Whether somebody drives a rollout is told by its pods alone: one who does goes on when they are ready.
func TestARolloutThatNobodyDrives(t *testing.T) {
	t.Parallel()
	rs := setFor("b", "web:2", 2, noon(0))
	ready := noon(0)
	well, ends := podFor(rs, "a", &ready), metav1.NewTime(noon(30))
	restarted := well.DeepCopy()
	restarted.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 1}}
	leaving := well.DeepCopy()
	leaving.DeletionTimestamp = &ends
	for name, test := range map[string]struct {
		pods, others []*corev1.Pod
		change       func(*Record)
		idle         int // seconds, 0 for never
	}{
		"ready":           {pods: []*corev1.Pod{well}, idle: 15},
		"one is not":      {pods: []*corev1.Pod{well, podFor(rs, "b", nil)}},
		"one restarted":   {pods: []*corev1.Pod{restarted}, idle: 75},
		"an old one ends": {pods: []*corev1.Pod{well}, others: []*corev1.Pod{leaving}, idle: 45},
		"with a hold":     {pods: []*corev1.Pod{well}, change: func(r *Record) { r.Plan.Hold.Duration = time.Minute }, idle: 75},
		"minReadySeconds": {pods: []*corev1.Pod{well}, change: func(r *Record) { r.Original.MinReadySeconds = 20 }, idle: 35},
		"begun just now":  {change: func(r *Record) { r.StartedAt = metav1.NewTime(noon(10)) }, idle: 25},
	} {
		record := &Record{}
		if test.change != nil {
			test.change(record)
		}
		in := &diagnose.Input{Pods: test.pods, Others: test.others}
		for _, seconds := range []int{1, 14, 24, 34, 44, 74, 1000} {
			in.Now = noon(0).Add(time.Duration(seconds) * time.Second)
			if got, want := !idleSince(in, record).IsZero(), test.idle > 0 && seconds >= test.idle; got != want {
				t.Errorf("%s after %d s: got %v, want %v", name, seconds, got, want)
			}
		}
	}
}
