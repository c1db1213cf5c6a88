package impact

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// secondOf is a moment of a test.
func secondOf(n int) time.Time { return time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC) }

// TestWhatPodsRunWith judges a workload with the plain name by what its template notes and by when its containers started.
func TestWhatPodsRunWith(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	noted := configmap.Object{Kind: configmap.ConfigMap, Name: "web-abc"}
	spec := &corev1.PodSpec{Containers: []corev1.Container{{Name: "app", EnvFrom: []corev1.EnvFromSource{
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "web"}}},
	}}}}
	changed := Age{Created: secondOf(10), Changed: secondOf(20)}
	for name, test := range map[string]struct {
		age     Age
		started int // the second, 0 where nothing runs
		note    *configmap.Content
		set     *configmap.Content // what is proposed, nil for a look at who runs with something else
		want    Verdict
	}{
		"started since the last change":              {changed, 30, nil, nil, None},
		"started before the last change":             {changed, 15, nil, nil, Restart},
		"started in its very second":                 {changed, 20, nil, nil, Restart},
		"never changed":                              {Age{Created: secondOf(10), Changed: secondOf(10)}, 10, nil, nil, None},
		"started before it was made":                 {Age{Created: secondOf(10), Changed: secondOf(10)}, 9, nil, nil, Restart},
		"nothing runs":                               {changed, 0, nil, nil, None},
		"noted, as it is":                            {changed, 15, text("a=1"), nil, None},
		"noted, another":                             {changed, 15, text("a=0"), nil, Restart},
		"noted, another, but started anew by others": {changed, 30, text("a=0"), nil, None},
		"noted, and a key was removed since":         {changed, 30, text("a=1 b=2"), nil, Restart},
		"back to what is noted, but started anew":    {changed, 30, text("a=0"), text("a=0"), Restart},
		"back to what is noted":                      {changed, 15, text("a=0"), text("a=0"), None},
		"a proposal says nothing of the unrecorded":  {changed, 15, nil, text("a=1"), None},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := Workload{Kind: "Deployment", Name: "web", Spec: spec, Rolls: true}
			if test.started > 0 {
				w.Since = secondOf(test.started)
			}
			c := &Change{Object: web, Old: text("a=1"), New: test.set, Stale: test.set == nil, Age: test.age}
			if test.set == nil {
				c.New = c.Old
			}
			if test.note != nil {
				w.Annotations = map[string]string{configmap.RecordKey(web): noted.Name}
				c.Versions = map[configmap.Object]*configmap.Content{noted: test.note}
			}
			if got := c.Affected([]Workload{w})[0]; got.Verdict != test.want {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAgeOf(t *testing.T) {
	t.Parallel()
	entry := func(second int, fields string) metav1.ManagedFieldsEntry {
		e := metav1.ManagedFieldsEntry{Time: new(metav1.NewTime(secondOf(second))), FieldsV1: &metav1.FieldsV1{}}
		e.FieldsV1.SetRawBytes([]byte(fields))
		return e
	}
	const data, labels = `{"f:data":{"f:a":{}}}`, `{"f:metadata":{"f:labels":{}}}`
	for name, test := range map[string]struct {
		entries []metav1.ManagedFieldsEntry
		want    int
	}{
		"nobody is known":         {nil, 10},
		"the last who set data":   {[]metav1.ManagedFieldsEntry{entry(20, data), entry(30, `{"f:binaryData":{},"f:metadata":{}}`), entry(15, data)}, 30},
		"labels are no change":    {[]metav1.ManagedFieldsEntry{entry(20, data), entry(30, labels)}, 20},
		"nobody holds data now":   {[]metav1.ManagedFieldsEntry{entry(20, labels), entry(30, labels)}, 30},
		"an entry without fields": {[]metav1.ManagedFieldsEntry{entry(20, data), {Time: new(metav1.NewTime(secondOf(30)))}}, 20},
		"one that does not parse": {[]metav1.ManagedFieldsEntry{entry(20, data), entry(30, `{`)}, 30},
	} {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(secondOf(10)), ManagedFields: test.entries}}
		if age := AgeOf(object); !age.Changed.Equal(secondOf(test.want)) || !age.Created.Equal(secondOf(10)) {
			t.Errorf("%s: %+v", name, age)
		}
	}
}

func TestStarted(t *testing.T) {
	t.Parallel()
	meta := func(uid, owner string) metav1.ObjectMeta {
		m := metav1.ObjectMeta{UID: types.UID(uid)}
		if owner != "" {
			m.OwnerReferences = []metav1.OwnerReference{{UID: types.UID(owner), Controller: new(true)}}
		}
		return m
	}
	running := func(second int) corev1.ContainerState {
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(secondOf(second))}}
	}
	pod := func(uid, owner string, states ...corev1.ContainerState) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: meta(uid, owner)}
		for _, state := range states {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{State: state})
		}
		return p
	}
	initialized := pod("p5", "set", running(40))
	initialized.Status.InitContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.NewTime(secondOf(35))},
	}}}
	ending := pod("p6", "set", running(1))
	ending.DeletionTimestamp = new(metav1.NewTime(secondOf(50)))
	var s Started
	s.See(pod("p1", "rs1", running(20), running(25)))
	s.See(&appsv1.ReplicaSet{ObjectMeta: meta("rs1", "web")})
	s.See(pod("p2", "rs2", running(15)))
	s.See(&appsv1.ReplicaSet{ObjectMeta: meta("rs2", "web")})
	s.See(pod("p3", "rs2", corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}))
	s.See(pod("p4", "", running(2)))
	s.See(initialized)
	s.See(ending)
	all := []Workload{{UID: "web"}, {UID: "set"}, {UID: "none"}}
	s.Add(all)
	for i, want := range []time.Time{secondOf(15), secondOf(35), {}} {
		if !all[i].Since.Equal(want) {
			t.Errorf("%s runs since %s, not %s", all[i].UID, all[i].Since, want)
		}
	}
}
