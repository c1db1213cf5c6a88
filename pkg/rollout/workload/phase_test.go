package workload

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestPhaseOfADeployment(t *testing.T) {
	t.Parallel()
	late := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}
	for name, test := range map[string]struct {
		paused                    bool
		generation                int64
		total, updated, available int32
		conditions                []appsv1.DeploymentCondition
		want                      Phase
	}{
		"complete":                      {total: 3, updated: 3, available: 3, want: Complete},
		"complete and paused":           {paused: true, total: 3, updated: 3, available: 3, want: Complete},
		"not observed":                  {generation: 1, total: 3, updated: 3, available: 3, want: Unobserved},
		"not observed after its end":    {generation: 1, conditions: []appsv1.DeploymentCondition{late}, want: Unobserved},
		"too few updated":               {total: 3, updated: 1, available: 3, want: Progressing},
		"old ones left":                 {total: 4, updated: 3, available: 4, want: Progressing},
		"not available":                 {total: 3, updated: 3, available: 2, want: Progressing},
		"past its deadline":             {total: 4, updated: 1, available: 3, conditions: []appsv1.DeploymentCondition{late}, want: PhaseFailed},
		"paused in the middle":          {paused: true, total: 4, updated: 1, available: 4, want: PhasePaused},
		"paused before the first pod":   {paused: true, want: PhasePaused},
		"paused and scaled up":          {paused: true, total: 2, updated: 2, available: 2, want: Progressing},
		"paused, pods not available":    {paused: true, total: 3, updated: 3, available: 1, want: Progressing},
		"paused before its newest pods": {paused: true, total: 3, available: 3, want: PhasePaused},
	} {
		d := &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Generation: 5 + test.generation},
			Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](3), Paused: test.paused},
			Status: appsv1.DeploymentStatus{
				ObservedGeneration: 5, Replicas: test.total, UpdatedReplicas: test.updated, AvailableReplicas: test.available, Conditions: test.conditions,
			},
		}
		if got := PhaseOf(d); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestPhaseOfAStatefulSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		strategy       appsv1.StatefulSetUpdateStrategyType
		partition      int32
		generation     int64
		ready, updated int32
		waiting        int32
		current        string
		want           Phase
	}{
		"not for long enough": {ready: 3, updated: 3, waiting: 1, want: Progressing},
		"back at its first":   {partition: 2, ready: 3, updated: 2, current: "new", want: Progressing},
		"complete":            {ready: 3, updated: 3, want: Complete},
		"on delete":           {strategy: appsv1.OnDeleteStatefulSetStrategyType, ready: 3, updated: 3, want: OnDelete},
		"never observed":      {generation: -1, want: Unobserved},
		"not observed":        {generation: 2, ready: 3, updated: 3, want: Unobserved},
		"not ready":           {ready: 2, updated: 3, want: Progressing},
		"not updated":         {ready: 3, updated: 2, want: Progressing},
		"up to its partition": {partition: 2, ready: 3, updated: 1, want: Partitioned},
		"not yet up to it":    {partition: 1, ready: 3, updated: 1, want: Progressing},
		"nothing to update":   {partition: 2, ready: 3, updated: 3, want: Complete},
		"partition above all": {partition: 9, ready: 3, updated: 0, want: Partitioned},
	} {
		set := &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Generation: 1 + test.generation},
			Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](3), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
				Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &test.partition},
			}},
			Status: appsv1.StatefulSetStatus{
				ObservedGeneration: 1 + min(test.generation, 0), ReadyReplicas: test.ready, UpdatedReplicas: test.updated,
				AvailableReplicas: test.ready - test.waiting, CurrentRevision: test.current, UpdateRevision: "new",
			},
		}
		if test.strategy != "" {
			set.Spec.UpdateStrategy.Type = test.strategy
		}
		if got := PhaseOf(set); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestPhaseOfADaemonSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		strategy           appsv1.DaemonSetUpdateStrategyType
		generation         int64
		updated, available int32
		want               Phase
	}{
		"complete":      {updated: 3, available: 3, want: Complete},
		"on delete":     {strategy: appsv1.OnDeleteDaemonSetStrategyType, updated: 3, available: 3, want: OnDelete},
		"not observed":  {generation: 1, updated: 3, available: 3, want: Unobserved},
		"not updated":   {updated: 2, available: 3, want: Progressing},
		"not available": {updated: 3, available: 2, want: Progressing},
	} {
		set := &appsv1.DaemonSet{
			ObjectMeta: metav1.ObjectMeta{Generation: test.generation},
			Spec:       appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType}},
			Status:     appsv1.DaemonSetStatus{DesiredNumberScheduled: 3, UpdatedNumberScheduled: test.updated, NumberAvailable: test.available},
		}
		if test.strategy != "" {
			set.Spec.UpdateStrategy.Type = test.strategy
		}
		if got := PhaseOf(set); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
