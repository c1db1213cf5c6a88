package diagnose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// unscheduled is a pod that the scheduler has no node for since the beginning.
func unscheduled(name, message string) *corev1.Pod {
	pod := podWith(name, corev1.ContainerStatus{})
	pod.Spec.NodeName, pod.Status.ContainerStatuses = "", nil
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", LastTransitionTime: at(0), Message: message,
	})
	return pod
}

// refusedBy is a ReplicaSet that may not make further pods since the beginning.
func refusedBy(message string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Conditions: []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: FailedCreate, Message: message, LastTransitionTime: at(0),
	}}}}
}

// A pod that should have ended is told when it is late, without any other change.
func TestAPodThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for due, finalizers := range map[int][]string{130: nil, 105: {"example.com/drain"}} {
		leaving := becameReady("o", 0)
		leaving.DeletionTimestamp, leaving.Finalizers = new(at(100)), finalizers
		for now, want := range map[int]string{90: "", due - 1: "", due: "warning StuckTerminating 1"} {
			for _, isOld := range []bool{true, false} {
				in := inputOf(now)
				if in.Pods = []*corev1.Pod{leaving}; isOld {
					in.Pods, in.Others = nil, in.Pods
				}
				report := Diagnose(in)
				if got := summary(report); got != want || want == "" && !report.Next.Equal(at(due).Time) {
					t.Errorf("after %d s, old %v: got %q, next %s", now, isOld, got, report.Next)
				}
			}
		}
	}
}

// A new pod that comes up slowly lets an old one go in the end, which makes room for the next: until then there is no failure.
func TestAPodThatComesUpMakesRoom(t *testing.T) {
	t.Parallel()
	starts := func() *corev1.Pod {
		pod := podWith("s", runs(5))
		pod.Spec.Containers[0].StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 12}
		pod.Status.ContainerStatuses[0].Started = new(false)
		return pod
	}
	silent := starts()
	silent.Status.ContainerStatuses[0] = waits("ContainerCreating", "")
	looping := podWith("s", waits("CrashLoopBackOff", ""))
	gone, leaving := becameReady("o", 0), becameReady("o", 0)
	gone.Status.Phase, leaving.DeletionTimestamp = corev1.PodFailed, new(at(10))
	for name, test := range map[string]struct {
		start, old *corev1.Pod
		now        int
		want       Severity
	}{
		"it comes up":            {starts(), becameReady("o", 0), 100, Warning},
		"its image is pulled":    {silent, becameReady("o", 0), 100, Warning},
		"it is ready":            {isReady(starts(), 90), becameReady("o", 0), 130, Warning},
		"it has been for long":   {isReady(starts(), 90), becameReady("o", 0), 150, Fatal},
		"its own time is over":   {starts(), becameReady("o", 0), 200, Fatal},
		"it crashes":             {looping, becameReady("o", 0), 100, Fatal},
		"no old one is left":     {starts(), nil, 100, Fatal},
		"the old one has ended":  {starts(), gone, 100, Fatal},
		"the old one is leaving": {starts(), leaving, 100, Fatal},
	} {
		for id, in := range map[string]*Input{
			QuotaExceeded:         inputOf(test.now, test.start),
			InsufficientResources: inputOf(test.now, unscheduled("a", "0/3 nodes are available: 3 Insufficient cpu."), test.start),
		} {
			if id == QuotaExceeded {
				in.ReplicaSet = refusedBy("exceeded quota: q")
			}
			if test.old != nil {
				in.Others = []*corev1.Pod{test.old}
			}
			in.Seen, in.Deadline = nil, 10*time.Minute
			report := Diagnose(in)
			if got, want := summary(report), fmt.Sprintf("%s %s 1", test.want, id); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
			if test.want == Warning && !report.Next.After(in.Now) {
				t.Errorf("%s: it is not told when to look again", name)
			}
		}
	}
}
