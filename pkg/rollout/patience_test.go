package rollout

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

func TestGoingBackLetsReplicaSetsCatchUp(t *testing.T) {
	t.Parallel()
	one := int32(1)
	caughtUp := &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &one}, Status: appsv1.ReplicaSetStatus{AvailableReplicas: 1}}
	reportsMore := caughtUp.DeepCopy()
	reportsMore.Status.AvailableReplicas = 2
	unobserved := caughtUp.DeepCopy()
	unobserved.Generation = 2
	now := time.Unix(1000, 0)
	for name, test := range map[string]struct {
		set   *appsv1.ReplicaSet
		next  action
		later time.Duration
		waits bool
	}{
		"caught up":             {set: caughtUp, next: goBack{}},
		"reports more pods":     {set: reportsMore, next: goBack{}, waits: true},
		"has not observed":      {set: unobserved, next: goBack{}, waits: true},
		"not for ever":          {set: reportsMore, next: goBack{}, later: resizeTimeout},
		"only for going back":   {set: reportsMore, next: finish{outcome: Done}},
		"still within its time": {set: reportsMore, next: goBack{}, later: resizeTimeout - time.Millisecond, waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &session{backSince: now}
			snapshot := &Snapshot{ReplicaSets: []*appsv1.ReplicaSet{test.set}}
			_, waits := s.awaitResize(snapshot, test.next, now.Add(test.later)).(await)
			if waits != test.waits {
				t.Errorf("waits: %v, want %v", waits, test.waits)
			}
		})
	}
}
