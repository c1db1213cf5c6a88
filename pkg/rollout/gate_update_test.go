package rollout

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// unjudged is a gate whose pods nobody diagnoses: the finding is given.
type unjudged struct {
	gate

	finding *Finding
}

func (u unjudged) judge(st *step, m memory) (memory, *Finding) {
	if u.finding != nil {
		return m, u.finding
	}
	return m, st.lost(m, podFindingsOf(st.Workload, nil))
}

// six is a StatefulSet of six pods whose two highest are new, or a DaemonSet of six nodes with two new pods, at a step of two.
func six(kind string) (*Snapshot, *Record) {
	update := &Update{Strategy: []byte(`{"type":"RollingUpdate"}`)}
	o := &Snapshot{Newest: &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Name: "new", Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "new"}}, Revision: 2,
	}}
	if kind == "StatefulSet" {
		update.Partition = ptr.To[int32](4)
		o.Workload = &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](6), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To[int32](4)},
		}}}
	} else {
		o.Workload = &appsv1.DaemonSet{
			Spec:   appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}},
			Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 6},
		}
	}
	for i := range 6 {
		hash := "old"
		if i >= 4 {
			hash = "new"
		}
		o.Pods = append(o.Pods, ready(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("web-", i), UID: types.UID(fmt.Sprint(i)), Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}},
			Spec:       corev1.PodSpec{NodeName: fmt.Sprint(i)},
		}, noon(-60)))
	}
	return o, &Record{
		Step: 1, ToRevision: 2, From: Revision{ControllerRevision: "old", Number: 1}, Update: update,
		Plan: plan.Plan{Steps: plan.Steps{intstr.FromInt32(2), everything()}, Limits: plan.Limits{Unavailable: intstr.FromInt32(2)}, OnFailure: plan.OnFailureRollback},
	}
}

func TestDecideOther(t *testing.T) {
	t.Parallel()
	finding := &Finding{ID: diagnose.CrashLoopBackOff}
	unready := func(o *Snapshot, places ...int) {
		for _, place := range places {
			o.Pods[place].Status.Conditions = nil
		}
	}
	for name, test := range map[string]struct {
		change  func(*Snapshot, *Record)
		finding *Finding
		// want is of a StatefulSet, and waves of a DaemonSet where that differs.
		want, waves action
	}{
		"the next step": {want: move{step: 2, to: partition(0)}, waves: move{step: 2, to: wave{"0", "1"}}},
		"held for a while": {
			change: func(_ *Snapshot, r *Record) { r.Plan.Hold.Duration = time.Minute },
			want:   noteHold{until: metav1.NewTime(noon(0).Add(time.Minute))},
		},
		"held for a while, which is written down": {
			change: func(_ *Snapshot, r *Record) {
				r.Plan.Hold.Duration, r.HoldUntil = time.Minute, ptr.To(metav1.NewTime(noon(0).Add(time.Minute)))
			},
			want: await{until: noon(0).Add(time.Minute)},
		},
		"held by somebody": {change: func(_ *Snapshot, r *Record) { r.Held = true }, want: stop{outcome: Paused, message: "the rollout is held at its step"}},
		"no connection":    {change: func(o *Snapshot, _ *Record) { o.StaleSince = noon(-5) }, finding: finding, want: await{}},
		"not observed":     {change: func(o *Snapshot, _ *Record) { o.Newest = nil }, want: await{}},
		"failed":           {finding: finding, want: goBack{finding: finding}},
		"failed, to be kept": {
			change: func(_ *Snapshot, r *Record) { r.Plan.OnFailure = plan.OnFailureHold }, finding: finding,
			want: stop{outcome: Failed, finding: finding},
		},
		"gone back by others": {change: func(o *Snapshot, _ *Record) { o.Newest.Name, o.Newest.Revision = "old", 3 }, want: finish{
			outcome: RolledBack, why: "the pod template was set back during the rollout to that of revision 1",
		}},
		"another template": {
			change: func(o *Snapshot, _ *Record) { o.Newest.Revision = 3 },
			want:   stop{outcome: Overtaken, message: "the pod template was changed during the rollout, to revision 3 where revision 2 was under way"},
		},
		"the last step": {
			change: func(o *Snapshot, r *Record) {
				r.Step = 2
				for _, pod := range o.Pods {
					pod.Labels[appsv1.ControllerRevisionHashLabelKey] = "new"
				}
				setPartition(o, r, 0)
			},
			want: finish{outcome: Done},
		},
		"a new pod that is not ready": {change: func(o *Snapshot, _ *Record) { unready(o, 5) }, want: await{}},
		"not ready for long enough": {
			change: func(o *Snapshot, _ *Record) {
				o.Pods[5] = ready(o.Pods[5], noon(-3))
				switch w := o.Workload.(type) {
				case *appsv1.StatefulSet:
					w.Spec.MinReadySeconds = 10
				case *appsv1.DaemonSet:
					w.Spec.MinReadySeconds = 10
				}
			},
			want: await{until: noon(7)},
		},
		"fewer pods than before": {
			change: func(o *Snapshot, _ *Record) {
				if set, is := o.Workload.(*appsv1.StatefulSet); is {
					*set.Spec.Replicas = 5
				}
				o.Pods = o.Pods[:5]
			},
			want: move{step: 1, to: partition(3)}, waves: await{},
		},
		"more pods than before": {
			change: func(o *Snapshot, _ *Record) {
				if set, is := o.Workload.(*appsv1.StatefulSet); is {
					*set.Spec.Replicas = 7
				}
			},
			want: await{}, waves: move{step: 2, to: wave{"0", "1"}},
		},
		"what is missing goes first": {
			change: func(o *Snapshot, r *Record) { r.Step = 2; setPartition(o, r, 0); unready(o, 2, 3) },
			want:   await{}, waves: move{step: 2, to: wave{"2", "3"}},
		},
		"no more than may be missing": {
			change: func(o *Snapshot, r *Record) { r.Step = 2; setPartition(o, r, 0); unready(o, 5) },
			want:   await{}, waves: move{step: 2, to: wave{"0"}},
		},
		"a wave that was begun": {
			change: func(o *Snapshot, r *Record) {
				r.Step = 2
				setPartition(o, r, 0)
				r.Update.Wave = []types.UID{"1", "3", "gone"}
			},
			want: await{}, waves: replace{pods: nil},
		},
		"a wave whose pods are about to go": {
			change: func(o *Snapshot, r *Record) {
				r.Step = 2
				setPartition(o, r, 0)
				r.Update.Wave, o.deleted = []types.UID{"1", "3"}, map[types.UID]bool{"1": true, "3": true}
			},
			want: await{},
		},
	} {
		for _, kind := range []string{"StatefulSet", "DaemonSet"} {
			o, record := six(kind)
			if test.change != nil {
				test.change(o, record)
			}
			want := test.want
			if kind == "DaemonSet" && test.waves != nil {
				want = test.waves
			}
			got, _ := decide(unjudged{gateOf(o.Workload), test.finding}, o, record, memory{}, noon(0))
			if _, is := want.(replace); is {
				want = replace{pods: []*corev1.Pod{o.Pods[1], o.Pods[3]}}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: %T%+v, want %T%+v", name, kind, got, got, want, want)
			}
		}
	}
}

// setPartition has a StatefulSet let more pods go.
func setPartition(o *Snapshot, r *Record, partition int32) {
	if set, is := o.Workload.(*appsv1.StatefulSet); is {
		set.Spec.UpdateStrategy.RollingUpdate.Partition, r.Update.Partition = &partition, &partition
	}
}

func TestStrategyOfOthersDecides(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		o, record := six(kind)
		switch w := o.Workload.(type) {
		case *appsv1.StatefulSet:
			w.Spec.UpdateStrategy.RollingUpdate.Partition = ptr.To[int32](0)
		case *appsv1.DaemonSet:
			w.Spec.UpdateStrategy.Type = appsv1.RollingUpdateDaemonSetStrategyType
		}
		next, _ := decide(unjudged{gateOf(o.Workload), nil}, o, record, memory{}, noon(0))
		if _, is := next.(part); !is {
			t.Errorf("%s: %T%+v", kind, next, next)
		}
	}
}

// A pod of the old version that is broken is told, and is no failure of the new one.
func TestOldPodsDoNotFailTheNewVersion(t *testing.T) {
	t.Parallel()
	o, record := six("StatefulSet")
	set, _ := o.Workload.(*appsv1.StatefulSet)
	set.Name, set.Status.UpdateRevision, set.UID = "web", "new", "web"
	for _, pod := range o.Pods {
		pod.OwnerReferences = []metav1.OwnerReference{{UID: "web", Controller: ptr.To(true)}}
	}
	o.Pods[0].Status.Conditions = nil
	o.Pods[0].Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "InvalidImageName", Message: "no image"}},
	}}
	for _, state := range []State{Open, Idle} {
		view := &View{Workload: record.Update.ownStrategy(set), State: state, Phase: workload.Progressing}
		view.heldUp(o.Pods, noon(0))
		if failed := view.Finding != nil; failed != (state == Idle) || view.Obstacle.Text == "" {
			t.Errorf("%d: finding %v, obstacle %q", state, view.Finding, view.Obstacle.Text)
		}
	}
}
