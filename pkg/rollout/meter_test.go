package rollout

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// metered is a moment with so many replicas wanted, pods ready and pods not ready.
func metered(replicas int32, ready, unready int) *Snapshot {
	rs := setFor("a", "web:1", 1, noon(0))
	size := int32(ready + unready)
	rs.Spec.Replicas = &size
	at := noon(0)
	var pods []*corev1.Pod
	for i := range ready {
		pods = append(pods, podFor(rs, fmt.Sprint("r", i), &at))
	}
	for i := range unready {
		pods = append(pods, podFor(rs, fmt.Sprint("u", i), nil))
	}
	return &Snapshot{Workload: &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &replicas}}, ReplicaSets: []*appsv1.ReplicaSet{rs}, Pods: pods}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		moments []*Snapshot
		want    Availability
	}{
		"steady":   {[]*Snapshot{metered(4, 4, 0), metered(4, 4, 1), metered(4, 4, 0)}, Availability{Lowest: 4, Floor: 3, Highest: 5, Ceiling: 6}},
		"a dip":    {[]*Snapshot{metered(4, 4, 0), metered(4, 2, 2), metered(4, 4, 0)}, Availability{Lowest: 2, Floor: 3, Highest: 4, Ceiling: 6}},
		"too many": {[]*Snapshot{metered(4, 4, 3), metered(4, 4, 0)}, Availability{Lowest: 4, Floor: 3, Highest: 7, Ceiling: 6}},
		// Pods that are only just being made are not missing.
		"scaled up":             {[]*Snapshot{metered(4, 4, 0), metered(8, 4, 0), metered(8, 4, 4), metered(8, 8, 0)}, Availability{Lowest: 4, Floor: 3, Highest: 8, Ceiling: 10, Scaled: true}},
		"scaled up, then a dip": {[]*Snapshot{metered(4, 4, 0), metered(8, 8, 0), metered(8, 5, 3)}, Availability{Lowest: 5, Floor: 7, Highest: 8, Ceiling: 10, Scaled: true}},
		// Of two moments that come equally close the one counts at which the service was worse off.
		"scaled down, pods still go": {[]*Snapshot{metered(8, 8, 0), metered(4, 8, 0), metered(4, 4, 0)}, Availability{Lowest: 4, Floor: 3, Highest: 8, Ceiling: 10, Scaled: true}},
	} {
		var m meter
		m.observe(metered(4, 0, 0)) // what was before does not count
		m.begin(limitsOf("2", "1"), noon(0))
		for _, moment := range test.moments {
			m.observe(moment)
		}
		got := m.read(noon(5))
		if got == nil {
			t.Fatalf("%s: nothing measured", name)
		}
		if got.Lowest-got.Floor != test.want.Lowest-test.want.Floor || got.Lowest != test.want.Lowest || got.Scaled != test.want.Scaled ||
			got.Highest-got.Ceiling != test.want.Highest-test.want.Ceiling || got.Duration != 5*time.Second {
			t.Errorf("%s: got %+v, want %+v", name, *got, test.want)
		}
	}
}

func TestMeterTimesSteps(t *testing.T) {
	t.Parallel()
	var m meter
	if m.read(noon(0)) != nil {
		t.Error("nothing was measured yet")
	}
	m.begin(limitsOf("2", "1"), noon(0))
	m.observe(metered(4, 4, 0))
	m.stepDone(1, 1, noon(3))
	m.stepDone(2, 4, noon(10))
	got := m.read(noon(12))
	want := []StepTime{{1, 1, 3 * time.Second}, {2, 4, 7 * time.Second}}
	if len(got.Steps) != 2 || got.Steps[0] != want[0] || got.Steps[1] != want[1] || got.Duration != 12*time.Second {
		t.Errorf("got %+v", got)
	}
}
