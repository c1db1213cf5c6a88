package diagnose

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// What a node does to a pod is not the application's fault: it is being evicted, its node is silent or was started anew.
func TestWhatANodeDoesIsNotBlamedOnTheApplication(t *testing.T) {
	t.Parallel()
	conditions := func(pod *corev1.Pod, all ...corev1.PodCondition) *corev1.Pod {
		pod.Status.Conditions = all
		return pod
	}
	is := func(kind corev1.PodConditionType, status corev1.ConditionStatus) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: at(10)}
	}
	running := runs(0)
	running.Ready = true
	again := runs(60)
	again.Ready, again.RestartCount, again.LastTerminationState = true, 2, ended(255, "Unknown", 0, 50)
	missing := corev1.ContainerStatus{RestartCount: 3, State: ended(137, "ContainerStatusUnknown", 0, 50)}
	evicted := conditions(podWith("evicted", corev1.ContainerStatus{RestartCount: 1, State: ended(143, "Error", 0, 90)}),
		is(corev1.PodReady, corev1.ConditionFalse), is(corev1.DisruptionTarget, corev1.ConditionTrue))
	spared := conditions(podWith("spared", corev1.ContainerStatus{RestartCount: 1, State: ended(143, "Error", 0, 90)}),
		is(corev1.PodReady, corev1.ConditionFalse), is(corev1.DisruptionTarget, corev1.ConditionFalse))
	silent := conditions(podWith("silent", running), is(corev1.PodReady, corev1.ConditionFalse), is(corev1.ContainersReady, corev1.ConditionTrue))
	gated := silent.DeepCopy()
	gated.Status.Conditions[0].Reason = "ReadinessGatesNotReady"
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"evicted":                   {evicted, "warning PodEvicted 1"},
		"not evicted after all":     {spared, "fatal CrashLoopBackOff 1"},
		"its node is silent":        {silent, "warning NodeNotReady 1"},
		"a gate is not met":         {gated, "fatal ReadinessGateNotMet 1"},
		"runs again after a reboot": {conditions(podWith("again", again), is(corev1.PodReady, corev1.ConditionTrue)), ""},
		"not yet, after a reboot":   {conditions(podWith("missing", missing), is(corev1.PodReady, corev1.ConditionFalse)), ""},
	} {
		if got := summary(Diagnose(inputOf(100, test.pod))); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// A node's clock may be behind: nothing of a pod began before the API server had made the pod.
func TestANodesClockIsNotTrustedTooFar(t *testing.T) {
	t.Parallel()
	behind := podWith("a", runs(-120))
	behind.CreationTimestamp, behind.Status.Conditions[0].LastTransitionTime = at(0), at(-120)
	for _, seen := range []Seen{{}, nil} {
		in := inputOf(10, behind)
		in.Seen = seen
		if got := summary(Diagnose(in)); got != "warning NotReady 1" {
			t.Errorf("got %s", got)
		}
		in.Now = at(60).Time
		if got := summary(Diagnose(in)); got != "fatal NotReady 1" {
			t.Errorf("got %s", got)
		}
	}
	strange := podWith("b", waits("Meditating", "om"))
	strange.Status.Conditions[0].LastTransitionTime = at(-120)
	in := inputOf(10, strange)
	if in.Seen = nil; summary(Diagnose(in)) != "warning Undetermined 1" {
		t.Errorf("got %s", summary(Diagnose(in)))
	}
}
