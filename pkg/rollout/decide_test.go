package rollout

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// The last step leaves its gate when that holds nothing back, and the controller's own limits are the rollout's.
func TestLeavingTheGate(t *testing.T) {
	t.Parallel()
	open, opened := Width{Surge: 1, Unavailable: 7}, Width{Unavailable: 8}
	for name, test := range map[string]struct {
		gate, desired Width
		made          int32
		change        func(*Record)
		want          bool
	}{
		"all made, old ones may go":     {open, opened, 8, func(*Record) {}, true},
		"one is yet to be made":         {open, opened, 7, func(*Record) {}, false},
		"the gate makes no more":        {Width{Surge: 1, Unavailable: 6}, opened, 8, func(*Record) {}, false},
		"old ones have to stay":         {Width{Unavailable: 6, Surge: 2}, Width{Unavailable: 7, Surge: 1}, 8, func(*Record) {}, false},
		"not the last step":             {open, opened, 8, func(r *Record) { r.Step = 1 }, false},
		"a hold follows":                {open, opened, 8, func(r *Record) { r.Plan.Hold = metav1.Duration{Duration: time.Second} }, false},
		"limits of its own":             {open, opened, 8, func(r *Record) { r.Plan.Limits = limitsOf("2", "1") }, false},
		"the manifest has other limits": {open, opened, 8, func(r *Record) { r.Final = ptr.To(settingsWith(intstr.FromInt32(3), intstr.FromInt32(1), 0)) }, false},
		"never had a deadline": {open, opened, 8, func(r *Record) {
			r.Original.ProgressDeadlineSeconds = ptr.To[int32](GateProgressDeadlineSeconds)
		}, false},
	} {
		record := &Record{
			Original: settingsWith(intstr.FromInt32(1), intstr.FromInt32(1), 0), Step: 2,
			Plan: plan.Plan{Steps: plan.Steps{intstr.FromInt32(1), everything()}, Limits: limitsOf("1", "1")},
		}
		record.Original.ProgressDeadlineSeconds = ptr.To[int32](600)
		test.change(record)
		st := &step{
			Snapshot: &Snapshot{
				Workload: &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](8)}},
				current:  &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &test.made}},
			},
			record: record, replicas: 8,
		}
		if got := (deploymentGate{}).leaves(st, test.gate, test.desired); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// A pod that is made for more replicas during a hold is not one that has lost its readiness, though the watch of the
// ReplicaSets is behind that of the pods.
func TestAHoldWatchesReadyPodsAlone(t *testing.T) {
	t.Parallel()
	rs, at := setFor("b", "web:2", 2, noon(0)), noon(0)
	st := &step{Snapshot: &Snapshot{
		Workload: &appsv1.Deployment{}, current: rs, Pods: []*corev1.Pod{podFor(rs, "ready", &at), podFor(rs, "made just now", nil)},
	}}
	m := memory{restarts: st.watched()}
	if finding := m.lost(st.Pods, st.podFindings(), noon(0)); finding != nil {
		t.Errorf("got %s", finding)
	}
	st.Pods = []*corev1.Pod{podFor(rs, "ready", nil)}
	if finding := m.lost(st.Pods, st.podFindings(), noon(0)); finding == nil {
		t.Error("a pod has lost its readiness, and nobody says so")
	}
}
