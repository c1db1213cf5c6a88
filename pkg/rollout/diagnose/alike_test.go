package diagnose

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A pod whose events are known lends them to those alike, and nothing else: what the others themselves tell stays theirs.
func TestPodsAlike(t *testing.T) {
	t.Parallel()
	looping := func(name string, count int32, end int) *corev1.Pod {
		status := runs(end)
		status.RestartCount, status.LastTerminationState, status.Ready = count, ended(1, "Error", end-20, end), true
		pod := podWith(name, status)
		pod.Status.Conditions[0].Status = corev1.ConditionTrue
		return pod
	}
	creating := func(name string) *corev1.Pod { return podWith(name, waits("ContainerCreating", "")) }
	long, young := podWith("long", runs(0)), podWith("young", runs(95))
	young.CreationTimestamp, young.Status.Conditions[0].LastTransitionTime = at(95), at(95)
	pending := func(name string) *corev1.Pod {
		pod := podWith(name, corev1.ContainerStatus{})
		pod.Spec.NodeName, pod.Status.ContainerStatuses = "", nil
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", LastTransitionTime: at(0),
			Message: "0/3 nodes are available: 3 Insufficient cpu.",
		})
		return pod
	}
	mount := func(pod *corev1.Pod, when int) *corev1.Event {
		return about(pod, "", "FailedMount", `MountVolume.SetUp failed for volume "v": configmap "settings" not found`, when)
	}
	for name, test := range map[string]struct {
		pods   []*corev1.Pod
		events func(first, second *corev1.Pod) []*corev1.Event
		now    int
		want   string
	}{
		"a restart of long ago does not silence a loop": {
			[]*corev1.Pod{looping("a", 1, 20), looping("b", 9, 1690)},
			func(first, _ *corev1.Pod) []*corev1.Event {
				return []*corev1.Event{about(first, "app", "Started", "", 20)}
			},
			1700, "fatal CrashLoopBackOff 1",
		},
		"a young pod does not excuse one that fails for long": {
			[]*corev1.Pod{young, long},
			func(first, _ *corev1.Pod) []*corev1.Event {
				return []*corev1.Event{about(first, "app", "Started", "", 95)}
			},
			100, "fatal NotReady 2",
		},
		"a node for one is a node for all alike": {
			[]*corev1.Pod{pending("a"), pending("b")},
			func(first, _ *corev1.Pod) []*corev1.Event {
				return []*corev1.Event{about(first, "", "TriggeredScaleUp", "", 10)}
			},
			70, "warning InsufficientResources 2",
		},
		"one that waits for its volumes speaks for all": {
			[]*corev1.Pod{creating("a"), creating("b")},
			func(first, _ *corev1.Pod) []*corev1.Event { return []*corev1.Event{mount(first, 60)} },
			61, "warning ConfigMapNotFound 2",
		},
		"but not where another is seen to go on": {
			[]*corev1.Pod{creating("a"), creating("b"), creating("c")},
			func(first, second *corev1.Pod) []*corev1.Event {
				return []*corev1.Event{mount(first, 60), about(second, "app", "Pulling", "", 60)}
			},
			61, "warning ConfigMapNotFound 1",
		},
	} {
		in := inputOf(test.now, test.pods...)
		in.Seen, in.Events = nil, test.events(test.pods[0], test.pods[1])
		if got := summary(Diagnose(in)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
