package rollout

import (
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func setFor(name, image string, revision int, created time.Time) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(created),
			Annotations: map[string]string{workload.RevisionAnnotation: strconv.Itoa(revision)},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](1), Template: templateFor(image, name)},
	}
}

func templateFor(image, hash string) corev1.PodTemplateSpec {
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: image}}}}
	if hash != "" {
		template.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
	}
	return template
}

func podFor(rs *appsv1.ReplicaSet, name string, readyAt *time.Time) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID(name),
		OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: rs.Name, UID: rs.UID, Controller: ptr.To(true)}},
	}}
	if readyAt != nil {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(*readyAt)}}
	}
	return pod
}

func noon(seconds int) time.Time { return time.Date(2026, 7, 1, 12, 0, seconds, 0, time.UTC) }

func TestNextRevisionAndCurrent(t *testing.T) {
	t.Parallel()
	one, two, three := setFor("a", "web:1", 1, noon(1)), setFor("b", "web:2", 2, noon(2)), setFor("c", "web:3", 3, noon(3))
	for name, test := range map[string]struct {
		sets    []*appsv1.ReplicaSet
		image   string
		current string
		next    int64
	}{
		"none":                      {nil, "web:1", "", 1},
		"a new one":                 {[]*appsv1.ReplicaSet{one, two}, "web:9", "", 3},
		"one from before":           {[]*appsv1.ReplicaSet{three, one, two}, "web:1", "a", 4},
		"the present one":           {[]*appsv1.ReplicaSet{one, two, three}, "web:3", "c", 3},
		"two alike, the older":      {[]*appsv1.ReplicaSet{setFor("z", "web:1", 5, noon(9)), one}, "web:1", "a", 6},
		"two alike of the same age": {[]*appsv1.ReplicaSet{setFor("z", "web:1", 5, noon(1)), one}, "web:1", "a", 6},
	} {
		template := templateFor(test.image, "")
		snapshot := Snapshot{Workload: &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: template}}, ReplicaSets: test.sets}
		current := snapshot.Current()
		if current == nil && test.current != "" || current != nil && current.Name != test.current {
			t.Errorf("%s: current is %v", name, current)
		}
		if got := workload.NextRevision(test.sets, &template); got != test.next {
			t.Errorf("%s: the next revision is %d, want %d", name, got, test.next)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	old, current := setFor("a", "web:1", 1, noon(0)), setFor("b", "web:2", 2, noon(1))
	early, late := noon(10), noon(14)
	s := &Snapshot{ReplicaSets: []*appsv1.ReplicaSet{old, current}, Pods: []*corev1.Pod{
		podFor(old, "o1", &early), podFor(old, "o2", nil),
		podFor(current, "n1", &early), podFor(current, "n2", &late), podFor(current, "n3", nil),
	}}
	for _, test := range []struct {
		minReady int32
		now      time.Time
		ready    int32
		wake     time.Time
	}{
		{0, noon(14), 2, time.Time{}},
		{0, noon(9), 2, time.Time{}}, // without minReadySeconds the clocks do not matter
		{5, noon(14), 0, noon(15)},
		{5, noon(15), 1, noon(19)},
		{5, noon(19), 2, time.Time{}},
	} {
		counts, wake := s.count(current, test.minReady, test.now)
		want := Counts{New: 3, NewReady: test.ready, Old: 2, OldReady: 1, Total: 5, Ready: 3}
		if counts != want || !wake.Equal(test.wake) {
			t.Errorf("minReadySeconds %d at %s: got %+v, %s; want %+v, %s", test.minReady, test.now, counts, wake, want, test.wake)
		}
	}
	if counts, _ := s.count(nil, 0, noon(20)); counts.New != 0 || counts.Old != 5 {
		t.Errorf("without a current ReplicaSet all are old: %+v", counts)
	}
}

func TestNewSnapshotKeepsWhatCounts(t *testing.T) {
	t.Parallel()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{UID: "d"}}
	mine, other := setFor("a", "web:1", 1, noon(0)), setFor("b", "web:1", 1, noon(0))
	mine.OwnerReferences = []metav1.OwnerReference{{UID: "d", Controller: ptr.To(true)}}
	going, failed, done := podFor(mine, "going", nil), podFor(mine, "failed", nil), podFor(mine, "done", nil)
	going.DeletionTimestamp = ptr.To(metav1.NewTime(noon(0)))
	failed.Status.Phase, done.Status.Phase = corev1.PodFailed, corev1.PodSucceeded
	orphan := podFor(mine, "orphan", nil)
	orphan.OwnerReferences = nil
	s := NewSnapshot(d, []*appsv1.ReplicaSet{mine, other}, []*corev1.Pod{podFor(mine, "kept", nil), podFor(other, "other's", nil), going, failed, done, orphan})
	if len(s.ReplicaSets) != 1 || s.ReplicaSets[0] != mine || len(s.Pods) != 1 || s.Pods[0].Name != "kept" {
		t.Errorf("%d ReplicaSets, %d pods", len(s.ReplicaSets), len(s.Pods))
	}
	if s := NewSnapshot(nil, []*appsv1.ReplicaSet{mine}, nil); s.Workload != nil || s.ReplicaSets != nil {
		t.Errorf("without a Deployment there is nothing: %+v", s)
	}
}

func TestScaled(t *testing.T) {
	t.Parallel()
	rs := setFor("a", "web:1", 1, noon(0))
	s := &Snapshot{Workload: &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](5)}}, ReplicaSets: []*appsv1.ReplicaSet{rs}}
	if !s.scaled() {
		t.Error("a ReplicaSet without the controller's annotation cannot be judged")
	}
	rs.Annotations[desiredAnnotation] = "4"
	if s.scaled() {
		t.Error("the ReplicaSet is still sized for 4")
	}
	rs.Spec.Replicas = new(int32)
	if !s.scaled() {
		t.Error("the controller does not keep the annotation of an empty ReplicaSet up to date")
	}
	rs.Spec.Replicas, rs.Annotations[desiredAnnotation] = ptr.To[int32](2), "5"
	if !s.scaled() {
		t.Error("the ReplicaSet is sized for 5")
	}
}

func TestScaledTellsWhetherReplicaSetsFollowed(t *testing.T) {
	t.Parallel()
	set := func(size int32, desired string) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{desiredAnnotation: desired}},
			Spec:       appsv1.ReplicaSetSpec{Replicas: &size},
		}
	}
	sixteen := int32(16)
	for name, test := range map[string]struct {
		sets []*appsv1.ReplicaSet
		want bool
	}{
		"both followed":                           {[]*appsv1.ReplicaSet{set(8, "16"), set(8, "16")}, true},
		"one has not":                             {[]*appsv1.ReplicaSet{set(8, "16"), set(8, "12")}, false},
		"one without pods does not count":         {[]*appsv1.ReplicaSet{set(16, "16"), set(0, "12")}, true},
		"alone, and of another size":              {[]*appsv1.ReplicaSet{set(12, "12"), set(0, "16")}, false},
		"alone, of the right size by chance":      {[]*appsv1.ReplicaSet{set(16, "15"), set(0, "12")}, true},
		"of the right size, but not alone":        {[]*appsv1.ReplicaSet{set(16, "15"), set(1, "16")}, false},
		"without the controller's note (adopted)": {[]*appsv1.ReplicaSet{set(8, "")}, true},
	} {
		s := &Snapshot{Workload: &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &sixteen}}, ReplicaSets: test.sets}
		if got := s.scaled(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
