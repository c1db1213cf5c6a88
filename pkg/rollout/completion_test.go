package rollout

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// four is a StatefulSet of four ready pods of these revisions, from the lowest ordinal, with a status that counts them as its
// controller does.
func four(partition int32, current, update string, revisions ...string) (*appsv1.StatefulSet, []*corev1.Pod) {
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db", UID: "db", Generation: 1},
		Spec: appsv1.StatefulSetSpec{Replicas: ptr.To(int32(len(revisions))), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition},
		}},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, CurrentRevision: current, UpdateRevision: update},
	}
	var pods []*corev1.Pod
	for i, revision := range revisions {
		pods = append(pods, ready(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("db-%d", i), Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: revision},
			OwnerReferences: []metav1.OwnerReference{{UID: "db", Controller: ptr.To(true)}},
		}}, noon(-60)))
		set.Status.Replicas++
		set.Status.ReadyReplicas++
		set.Status.AvailableReplicas++
		if revision == update {
			set.Status.UpdatedReplicas++
		}
	}
	return set, pods
}

func TestCompletionOfAStatefulSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		partition       int32
		current, update string
		revisions       []string
		change          func(*appsv1.StatefulSet, []*corev1.Pod) []*corev1.Pod
		want            workload.Phase
		lacks           string
	}{
		"all are new": {0, "a", "a", []string{"a", "a", "a", "a"}, nil, workload.Complete, ""},
		"kept pods":   {2, "a", "b", []string{"a", "a", "b", "b"}, nil, workload.Partitioned, ""},
		"gone back, and pods of the version left still run": {
			2, "a", "a", []string{"a", "a", "b", "b"}, nil, workload.Progressing, "another revision than the newest runs in db-2, db-3",
		},
		"gone back with one to go": {2, "a", "a", []string{"a", "a", "b", "a"}, nil, workload.Progressing, "another revision than the newest runs in db-2"},
		"a third revision that the status does not count": {
			1, "a", "b", []string{"b", "b", "b", "c"}, nil, workload.Progressing, "another revision than the newest runs in db-3",
		},
		"not ready for long enough": {0, "a", "a", []string{"a", "a", "a", "a"}, func(set *appsv1.StatefulSet, pods []*corev1.Pod) []*corev1.Pod {
			set.Spec.MinReadySeconds, set.Status.AvailableReplicas = 30, 3
			pods[3] = ready(pods[3], noon(-10))
			return pods
		}, workload.Progressing, "minReadySeconds (30 s) not over for db-3"},
		"its controller counts later": {0, "a", "a", []string{"a", "a", "a", "a"}, func(set *appsv1.StatefulSet, pods []*corev1.Pod) []*corev1.Pod {
			set.Spec.MinReadySeconds, set.Status.AvailableReplicas = 30, 3
			return pods
		}, workload.Progressing, "its controller has not counted all pods as available"},
		"a pod is missing": {0, "a", "a", []string{"a", "a", "a", "a"}, func(_ *appsv1.StatefulSet, pods []*corev1.Pod) []*corev1.Pod {
			return pods[:3]
		}, workload.Progressing, "db-3 not ready"},
		"ordinals that begin later": {2, "a", "b", []string{"a", "a", "b", "b"}, func(set *appsv1.StatefulSet, pods []*corev1.Pod) []*corev1.Pod {
			set.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 5}
			for i, pod := range pods {
				pod.Name = fmt.Sprintf("db-%d", 5+i)
			}
			return pods
		}, workload.Partitioned, ""},
		"many": {
			0, "a", "a",
			[]string{"b", "b", "b", "b", "b"},
			func(set *appsv1.StatefulSet, pods []*corev1.Pod) []*corev1.Pod {
				set.Status.UpdatedReplicas = 5 // as of before the last change
				return pods
			},
			workload.Progressing, "another revision than the newest runs in db-0, db-1, db-2 and 2 more",
		},
	} {
		set, pods := four(test.partition, test.current, test.update, test.revisions...)
		if test.change != nil {
			pods = test.change(set, pods)
		}
		c := completionOf(set, pods, noon(0))
		if c.phase != test.want || c.lacks != test.lacks {
			t.Errorf("%s: %s, %q; want %s, %q", name, c.phase, c.lacks, test.want, test.lacks)
		}
		if wait := c.wake.Sub(noon(0)); name == "not ready for long enough" && wait != 20*time.Second {
			t.Errorf("%s: look again in %s", name, wait)
		}
	}
}

// A StatefulSet that was scaled to 0 and back runs the version that is given up below its own partition, too. The way back
// reaches those pods, and gives the partition back at its end.
func TestWayBackBelowThePartition(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		current   string
		revisions []string
		change    func(*Record)
		want      bool
	}{
		"kept as they were":                {"old", []string{"old", "old", "new", "new"}, nil, false},
		"an earlier version is kept":       {"first", []string{"first", "first", "new", "new"}, nil, false},
		"made anew":                        {"new", []string{"new", "new", "new", "new"}, nil, true},
		"none is there yet":                {"new", nil, nil, true},
		"somebody has gone back already":   {"new", []string{"new", "new", "old", "old"}, nil, true},
		"no partition of its own":          {"new", []string{"new"}, func(r *Record) { r.Update.Strategy = []byte(`{"type":"RollingUpdate"}`) }, false},
		"a version that others set since":  {"third", []string{"third", "third", "third", "third"}, nil, true},
		"only one, as its node was lost":   {"old", []string{"new", "old", "new", "new"}, nil, true},
		"of a revision that is not listed": {"gone", []string{"gone", "gone", "new", "new"}, nil, false},
	} {
		set, pods := four(2, test.current, "new", test.revisions...)
		record := &Record{
			ToRevision: 3, From: Revision{ControllerRevision: "old", Number: 2},
			Update: &Update{Strategy: []byte(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`), Partition: ptr.To[int32](2)},
		}
		if test.change != nil {
			test.change(record)
		}
		// The controller numbers a revision anew that it takes again.
		o := &Snapshot{Workload: set, Pods: pods, numbers: map[string]int64{"first": 1, "old": 5, "new": 3, "third": 4}}
		*set.Spec.Replicas = 4
		if got := o.hasLeftKept(record); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// The record of a way back tells what it has borrowed, whoever goes on with it; that of an earlier version does too.
func TestWhatAWayBackBorrows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		update      Update
		partition   int32
		unavailable int32
		want        bool
		restored    string
	}{
		"a limit, as earlier versions did": {Update{Paced: true}, 2, 1, true, `[{"op":"add","path":"/spec/updateStrategy/rollingUpdate/maxUnavailable","value":3}]`},
		"a limit that others changed":      {Update{Paced: true}, 2, 2, false, ""},
		"a partition": {
			Update{Returning: ptr.To[int32](0)},
			0, 3, true,
			`[{"op":"add","path":"/spec/updateStrategy/rollingUpdate/partition","value":2}]`,
		},
		"a partition that others changed": {Update{Returning: ptr.To[int32](0)}, 1, 3, false, ""},
		"both": {
			Update{Paced: true, Returning: ptr.To[int32](0)},
			0, 1, true,
			`[{"op":"add","path":"/spec/updateStrategy/rollingUpdate/partition","value":2},` +
				`{"op":"add","path":"/spec/updateStrategy/rollingUpdate/maxUnavailable","value":3}]`,
		},
		"both, of which others changed one": {Update{Paced: true, Returning: ptr.To[int32](0)}, 0, 3, false, ""},
	} {
		set, _ := four(test.partition, "new", "old", "new", "new", "new", "new")
		set.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = ptr.To(intstr.FromInt32(test.unavailable))
		test.update.Strategy = []byte(`{"type":"RollingUpdate","rollingUpdate":{"partition":2,"maxUnavailable":3}}`)
		record := &Record{RollingBack: true, Update: &test.update, Plan: plan.Plan{Limits: plan.Limits{Unavailable: intstr.FromInt32(1)}}}
		if got := record.returns(set); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
		p := &patch{}
		if err := test.update.restore(p, set); err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(p.operations); err != nil || test.want && string(got) != test.restored {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// The status of a DaemonSet may still count a pod that was ready for a moment.
func TestCompletionOfADaemonSet(t *testing.T) {
	t.Parallel()
	set := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{UID: "d"},
		Status:     appsv1.DaemonSetStatus{DesiredNumberScheduled: 2, UpdatedNumberScheduled: 2, NumberReady: 2, NumberAvailable: 2},
	}
	pod := func(name string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{{UID: "d", Controller: ptr.To(true)}}}}
	}
	ending := pod("c")
	ending.DeletionTimestamp = ptr.To(metav1.NewTime(noon(0)))
	for name, test := range map[string]struct {
		pods  []*corev1.Pod
		want  workload.Phase
		lacks string
	}{
		"all are ready":          {[]*corev1.Pod{ready(pod("a"), noon(0)), ready(pod("b"), noon(0)), ending}, workload.Complete, ""},
		"one is not":             {[]*corev1.Pod{ready(pod("a"), noon(0)), pod("b")}, workload.Progressing, "b not ready"},
		"one too many is not":    {[]*corev1.Pod{ready(pod("a"), noon(0)), ready(pod("b"), noon(0)), pod("d")}, workload.Complete, ""},
		"one has not shown up":   {[]*corev1.Pod{ready(pod("a"), noon(0))}, workload.Complete, ""},
		"no pod belongs to it":   {[]*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "x"}}}, workload.Complete, ""},
		"the pods are not known": {nil, workload.Complete, ""},
	} {
		if c := completionOf(set, test.pods, noon(1)); c.phase != test.want || c.lacks != test.lacks {
			t.Errorf("%s: got %s, lacking %q, want %s, lacking %q", name, c.phase, c.lacks, test.want, test.lacks)
		}
	}
}
