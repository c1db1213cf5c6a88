package rollout

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func TestObstacles(t *testing.T) {
	t.Parallel()
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db", UID: "db", Generation: 3},
		Spec: appsv1.StatefulSetSpec{UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To[int32](1)},
		}},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 3, UpdateRevision: "db-b"},
	}
	// pod has not been ready since it was taken; since says how long its Ready condition has been false by then.
	pod := func(edits ...func(*corev1.Pod)) *corev1.Pod {
		taken := metav1.NewTime(noon(0))
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: "db-1", Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "db-a"},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))},
			},
			Status: corev1.PodStatus{StartTime: &taken, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: taken}}},
		}
		for _, edit := range edits {
			edit(p)
		}
		return p
	}
	ready := func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionTrue }
	lostReadiness := func(p *corev1.Pod) {
		p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon(0).Add(time.Minute))
	}
	waiting := func(reason string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{waits(reason, "")} }
	}
	named := func(name string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Name = name } }
	for name, test := range map[string]struct {
		edit func(*appsv1.StatefulSet)
		pod  *corev1.Pod
		want bool
	}{
		"never ready":                 {pod: pod(), want: true},
		"not even taken by a node":    {pod: pod(func(p *corev1.Pod) { p.Status = corev1.PodStatus{} }), want: true},
		"ready":                       {pod: pod(ready)},
		"was ready before":            {pod: pod(lostReadiness)},
		"was ready, and pulls":        {pod: pod(lostReadiness, waiting("ErrImagePull")), want: true},
		"was ready, and crashes":      {pod: pod(lostReadiness, waiting("CrashLoopBackOff")), want: true},
		"is being deleted":            {pod: pod(func(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(metav1.NewTime(noon(1))) })},
		"of the newest revision":      {pod: pod(func(p *corev1.Pod) { p.Labels[appsv1.ControllerRevisionHashLabelKey] = "db-b" })},
		"of nobody":                   {pod: pod(func(p *corev1.Pod) { p.OwnerReferences = nil })},
		"below the partition":         {pod: pod(named("db-0"))},
		"above it":                    {pod: pod(named("db-10")), want: true},
		"below with ordinals from 1":  {edit: func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 1} }, pod: pod()},
		"of a Parallel set":           {edit: func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }, pod: pod(), want: true},
		"OnDelete":                    {edit: func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }, pod: pod()},
		"the newest is not known yet": {edit: func(s *appsv1.StatefulSet) { s.Status.ObservedGeneration = 2 }, pod: pod()},
	} {
		s := set.DeepCopy()
		if test.edit != nil {
			test.edit(s)
		}
		if got, _ := obstacles(s, []*corev1.Pod{test.pod}, noon(0).Add(5*time.Minute)); (len(got) == 1) != test.want {
			t.Errorf("%s: got %d", name, len(got))
		}
	}
	// A view that has told of a pod looks again when it is clear what is wrong with it.
	view := &View{Workload: set, Phase: workload.Progressing}
	next := view.heldUp([]*corev1.Pod{pod(waiting("ErrImagePull"))}, noon(5))
	if view.Obstacle.Text == "" || !next.Equal(noon(30)) {
		t.Errorf("got %q, next %s", view.Obstacle.Text, next)
	}
	if view.heldUp([]*corev1.Pod{pod(waiting("ErrImagePull"))}, next); view.Outcome != Failed {
		t.Errorf("got %+v", view)
	}
	// A pull that fails is given time here, too: until then the pod is told, and stays.
	for now, want := range map[time.Duration]int{61 * time.Second: 0, 90 * time.Second: 1} {
		got, graces := obstacles(set, []*corev1.Pod{pod(lostReadiness, waiting("ErrImagePull"))}, noon(0).Add(now))
		if len(got) != want || len(graces) != 1-want {
			t.Errorf("after %s: got %d pods, %v", now, len(got), graces)
		}
	}
}

// A Parallel set whose controller does not replace a pod that is not ready, as on servers 1.35.0 to 1.35.3, is told of once nothing
// else is under way.
func TestAParallelSetThatIsStuck(t *testing.T) {
	t.Parallel()
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db", UID: "db", Namespace: "shop", CreationTimestamp: metav1.NewTime(noon(0))},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](2), PodManagementPolicy: appsv1.ParallelPodManagement,
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType},
		},
		Status: appsv1.StatefulSetStatus{CurrentRevision: "old", UpdateRevision: "new"},
	}
	pod := func(name, revision string, ready bool, waits string) *corev1.Pod {
		p := owned(set, name, revision, "", waits)
		p.Namespace, p.CreationTimestamp = "shop", metav1.NewTime(noon(0))
		status := corev1.ConditionFalse
		if ready {
			status = corev1.ConditionTrue
		}
		p.Status.StartTime = ptr.To(metav1.NewTime(noon(0)))
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(noon(1))}}
		return p
	}
	stale, well := pod("db-1", "broken", false, "CrashLoopBackOff"), pod("db-0", "old", true, "")
	ending := pod("db-1", "broken", false, "")
	ending.DeletionTimestamp = ptr.To(metav1.NewTime(noon(5)))
	for name, test := range map[string]struct {
		pods []*corev1.Pod
		at   int
		want bool
	}{
		"stuck":                             {[]*corev1.Pod{well, stale}, 30, true},
		"its controller may act yet":        {[]*corev1.Pod{well, stale}, 8, false},
		"one is missing":                    {[]*corev1.Pod{stale}, 30, false},
		"one ends":                          {[]*corev1.Pod{well, stale, ending}, 30, false},
		"one of the newest revision starts": {[]*corev1.Pod{pod("db-0", "new", false, ""), stale}, 30, false},
		"the newest one is ready":           {[]*corev1.Pod{pod("db-0", "new", true, ""), stale}, 30, true},
		"none is in the way":                {[]*corev1.Pod{well, pod("db-1", "new", true, "")}, 30, false},
	} {
		view := &View{Workload: set, Phase: workload.Progressing}
		next := view.heldUp(test.pods, noon(test.at))
		if told := strings.Contains(view.Obstacle.Text, "'kubectl delete pod db-1 -n shop' lets it go on"); told != test.want {
			t.Errorf("%s: %q", name, view.Obstacle.Text)
		}
		if test.at == 8 && !next.Equal(noon(11)) {
			t.Errorf("%s: it looks again at %s", name, next)
		}
	}
}

// A StatefulSet waits for the pods below its partition, too, which keep the revision that they have.
func TestABrokenPodBelowThePartitionIsSeen(t *testing.T) {
	t.Parallel()
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db", UID: "db"},
		Spec: appsv1.StatefulSetSpec{UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To[int32](2)},
		}},
		Status: appsv1.StatefulSetStatus{CurrentRevision: "old", UpdateRevision: "new"},
	}
	for name, test := range map[string]struct {
		pod, revision string
		edit          func(*appsv1.StatefulSet)
		want          bool
	}{
		"below it":                    {pod: "db-1", revision: "old", want: true},
		"above it":                    {pod: "db-2", revision: "old"},
		"above it, of the newest":     {pod: "db-2", revision: "new", want: true},
		"below it, of a third":        {pod: "db-1", revision: "older"},
		"where somebody deletes them": {pod: "db-1", revision: "old", edit: func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }},
		"no number":                   {pod: "db-x", revision: "old"},
	} {
		s := set.DeepCopy()
		if test.edit != nil {
			test.edit(s)
		}
		in := inputOfUpdate(s, []*corev1.Pod{owned(s, test.pod, test.revision, "", "CrashLoopBackOff")}, noon(0))
		if got := len(in.Pods) == 1; got != test.want || len(in.Pods)+len(in.Others) != 1 {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
