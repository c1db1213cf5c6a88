package diagnose

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What a pod needed another one may need, too. Where none tells, and where somebody has asked for patience, there is more.
func TestPatienceForReadiness(t *testing.T) {
	t.Parallel()
	readyAfter := func(name string, seconds int) *corev1.Pod {
		pod := podWith(name, runs(0))
		pod.Status.ContainerStatuses[0].Ready = true
		pod.Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at(seconds)}
		return pod
	}
	restarted := readyAfter("r", 300)
	restarted.Status.ContainerStatuses[0].RestartCount = 1
	for name, test := range map[string]struct {
		change   func(*Input, *corev1.Pod)
		deadline time.Duration
		grace    time.Duration
		why      string
		// late is when it is worth a word, 0 where that is when it is fatal.
		late time.Duration
	}{
		"old pods are quick":       {func(in *Input, _ *corev1.Pod) { in.Others = []*corev1.Pod{readyAfter("o", 2)} }, 0, time.Minute, "every container is given 1m0s", 0},
		"at once":                  {func(in *Input, _ *corev1.Pod) { in.Others = []*corev1.Pod{readyAfter("o", 0)} }, 0, time.Minute, "every container is given", 0},
		"old pods are slow":        {func(in *Input, _ *corev1.Pod) { in.Others = []*corev1.Pod{readyAfter("o", 90), restarted} }, 0, 3 * time.Minute, "twice the 1m30s", 0},
		"a new one was slow":       {func(in *Input, _ *corev1.Pod) { in.Pods = append(in.Pods, readyAfter("n", 100)) }, 0, 200 * time.Second, "twice the 1m40s", 0},
		"none tells":               {func(in *Input, _ *corev1.Pod) { in.Others = []*corev1.Pod{restarted} }, 0, 150 * time.Second, "a quarter of the progress deadline", 0},
		"none, and little time":    {func(*Input, *corev1.Pod) {}, 2 * time.Minute, time.Minute, "every container is given", 0},
		"the probes say":           {func(_ *Input, a *corev1.Pod) { a.Spec.Containers[0].ReadinessProbe.InitialDelaySeconds = 300 }, 0, 331 * time.Second, "readiness probe: 5m31s", 0},
		"started":                  {func(_ *Input, a *corev1.Pod) { a.Spec.Containers[0].StartupProbe = &corev1.Probe{} }, 0, 62 * time.Second, "startup probe: 31s", 0},
		"much time is given":       {func(in *Input, _ *corev1.Pod) { in.Others = []*corev1.Pod{readyAfter("o", 2)} }, 20 * time.Minute, 20 * time.Minute, "more than the usual 10m0s", time.Minute},
		"much time, and none told": {func(*Input, *corev1.Pod) {}, 20 * time.Minute, 20 * time.Minute, "progressDeadlineSeconds", 5 * time.Minute},
		"as much as usual":         {func(in *Input, _ *corev1.Pod) { in.Others = []*corev1.Pod{readyAfter("o", 2)} }, 10 * time.Minute, time.Minute, "every container is given", 0},
		"it was ready": {func(_ *Input, a *corev1.Pod) {
			a.Status.ContainerStatuses[0].State.Running.StartedAt, a.Status.Conditions[0].LastTransitionTime = at(500), at(1000)
		}, 0, time.Minute, "every container is given", 0},
	} {
		pod := podWith("a", runs(1000))
		pod.Status.ContainerStatuses[0].Started = new(true)
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{}
		in := inputOf(1001, pod)
		in.Deadline = test.deadline
		test.change(in, pod)
		look := func(after time.Duration) (*Finding, time.Time) {
			in.Now = at(1000).Add(after)
			report := Diagnose(in)
			return &report.Findings[0], report.Next
		}
		if test.late == 0 {
			test.late = test.grace
		}
		f, next := look(test.late - time.Second)
		if f.Severity != Warning || f.Grace.Length != test.grace || !strings.Contains(f.Grace.Why, test.why) || !f.Starting() || !next.Equal(at(1000).Add(test.late)) {
			t.Errorf("%s: got %s, grace %+v, next %s", name, f, f.Grace, next)
		}
		if f, next = look(test.late); f.Starting() || test.late < test.grace && (f.Severity != Warning || !next.Equal(f.Grace.Until)) {
			t.Errorf("%s: late: got %s, next %s", name, f, next)
		}
		f, _ = look(test.grace)
		if told := "it was given " + test.grace.String(); f.Severity != Fatal || !strings.Contains(f.Message, told) || !strings.Contains(f.Message, test.why) {
			t.Errorf("%s: fatal: got %s", name, f)
		}
	}
}
