package rollout

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// A pod that has crashed is ready for a moment between two crashes. No old pod goes for it before it has settled.
func TestAPodThatCrashedCountsOnceItHasSettled(t *testing.T) {
	t.Parallel()
	rs, since := setFor("b", "web:2", 2, noon(0)), noon(10)
	other := ended(137, "ContainerStatusUnknown", "").Terminated
	for name, c := range map[string]struct {
		// statuses are those of the containers, sidecars those of init containers that go on running.
		statuses, sidecars []corev1.ContainerStatus
		minReadySeconds    int32
		// probed are the containers that have a readiness probe.
		probed []string
		// at is when the pod counts, in seconds after it became ready.
		at int
	}{
		"never ended":            {statuses: []corev1.ContainerStatus{{Name: "app"}}},
		"one of two has crashed": {statuses: []corev1.ContainerStatus{{Name: "app"}, again(since, 1)}, at: 10},
		"a sidecar has crashed":  {statuses: []corev1.ContainerStatus{{Name: "app"}}, sidecars: []corev1.ContainerStatus{again(since, 1)}, at: 10},
		"crashed long ago":       {statuses: []corev1.ContainerStatus{again(since.Add(-time.Minute), 3)}},
		"minReadySeconds":        {statuses: []corev1.ContainerStatus{again(since, 1)}, minReadySeconds: 30, at: 30},
		"started lately, without a probe beside one that has": {
			statuses: []corev1.ContainerStatus{started("app", since.Add(-3*time.Second)), started("log", since.Add(-2*time.Second))}, probed: []string{"app"}, at: 2,
		},
		"a sidecar without a probe": {
			statuses: []corev1.ContainerStatus{started("app", since.Add(-3*time.Second))},
			sidecars: []corev1.ContainerStatus{started("log", since.Add(-3*time.Second))}, probed: []string{"app"}, at: 2,
		},
		"started long ago, without a probe": {
			statuses: []corev1.ContainerStatus{started("app", since.Add(-time.Minute)), started("log", since.Add(-time.Minute))}, probed: []string{"app"},
		},
		"all have probes": {
			statuses: []corev1.ContainerStatus{started("app", since), started("log", since)}, probed: []string{"app", "log"},
		},
		"none has a probe": {statuses: []corev1.ContainerStatus{started("app", since), started("log", since)}},
		"its node's doing": {statuses: []corev1.ContainerStatus{{
			Name: "app", RestartCount: 1, State: again(since, 1).State, LastTerminationState: corev1.ContainerState{Terminated: other},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := podFor(rs, "p", &since)
			pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses = c.statuses, c.sidecars
			pod.Spec.Containers, pod.Spec.InitContainers = containersOf(c.statuses, c.probed), containersOf(c.sidecars, c.probed)
			due := since.Add(time.Duration(c.at) * time.Second)
			if c.at > 0 {
				counts, wake := countPods([]*corev1.Pod{pod}, belongsTo(rs), c.minReadySeconds, due.Add(-time.Second))
				if counts.NewReady != 0 || counts.Ready != 1 || !wake.Equal(due) {
					t.Errorf("before it has settled: %+v until %s, want none ready until %s", counts, wake, due)
				}
			}
			if counts, _ := countPods([]*corev1.Pod{pod}, belongsTo(rs), c.minReadySeconds, due); counts.NewReady != 1 {
				t.Errorf("after that: %+v", counts)
			}
			if until := settled([]*corev1.Pod{pod}); c.minReadySeconds == 0 && c.at > 0 && !until.Equal(due) {
				t.Errorf("success is held back until %s, want %s", until, due)
			}
		})
	}
}

// Pods of the new version that have crashed before they were ready are not reckoned with while they may crash again.
func TestNoOldPodGoesForOneThatCrashed(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		old := b.setOf("web:1")
		b.shape = func(pod *corev1.Pod) { pod.Status.ContainerStatuses = []corev1.ContainerStatus{again(b.now, 1)} }
		b.deleted = func(gone *corev1.Pod) {
			settled := 0
			for _, pod := range b.pods {
				if ready, since := workload.ReadySince(pod); pod.UID != gone.UID && ready && (workload.OwnedBy(pod, old) || b.now.Sub(since) >= 8*time.Second) {
					settled++
				}
			}
			if settled < 4 {
				t.Errorf("%s goes, and %d pods that have settled are left of 4", gone.Name, settled)
			}
		}
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
	})
}

// started is the status of a container that has run since then.
func started(name string, since time.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(since)}}}
}

// containersOf are the containers of these statuses, some of them with a readiness probe.
func containersOf(statuses []corev1.ContainerStatus, probed []string) []corev1.Container {
	var containers []corev1.Container
	for _, status := range statuses {
		c := corev1.Container{Name: status.Name}
		if slices.Contains(probed, status.Name) {
			c.ReadinessProbe = &corev1.Probe{}
		}
		containers = append(containers, c)
	}
	return containers
}
