package diagnose

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
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

// becameReady is a pod of which all containers run since the beginning, and which was ready some seconds later.
func becameReady(name string, seconds int) *corev1.Pod {
	return isReady(podWith(name, runs(0)), seconds)
}

// The pods that tell how long it takes come and go; whatever the order, the longest time that any of them told counts on.
func TestHowLongPodsTookIsRemembered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var proven *time.Duration
		longest := time.Duration(-1)
		for range rapid.IntRange(1, 10).Draw(t, "looks") {
			slow := podWith("slow", runs(0))
			slow.Spec.Containers[0].ReadinessProbe = &corev1.Probe{}
			in := inputOf(1, slow)
			in.Deadline, in.Proven = 10*time.Minute, proven
			for range rapid.IntRange(0, 3).Draw(t, "pods") {
				took := rapid.IntRange(0, 700).Draw(t, "took")
				pod, tells := becameReady("p", took), took < 600
				switch rapid.SampledFrom([]string{"", "", "restarted", "ending", "not ready"}).Draw(t, "kind") {
				case "restarted":
					pod.Status.ContainerStatuses[0].RestartCount, tells = 1, false
				case "ending":
					pod.DeletionTimestamp, tells = new(at(1)), false
				case "not ready":
					pod.Status.Conditions[0].Status, tells = corev1.ConditionFalse, false
				}
				if tells {
					longest = max(longest, time.Duration(took)*time.Second)
				}
				if rapid.Bool().Draw(t, "old") {
					in.Others = append(in.Others, pod)
				} else {
					in.Pods = append(in.Pods, pod)
				}
			}
			report := Diagnose(in)
			proven = report.Proven
			want := max(time.Minute, 2*longest)
			if longest < 0 {
				want = 150 * time.Second // a quarter of the deadline
			}
			for i := range report.Findings {
				if f := &report.Findings[i]; f.Pod == "slow" && f.Grace.Length != want {
					t.Fatalf("grace %s where pods took %s", f.Grace.Length, longest)
				}
			}
			if (proven == nil) != (longest < 0) || proven != nil && *proven != longest {
				t.Fatalf("remembered %v, where pods took %s", proven, longest)
			}
		}
	})
}

// A pod that lost its readiness and got it back seems to have taken all the time until then. No pod may take longer than the
// progress deadline, and where there is none, as for a StatefulSet, than the usual one.
func TestAPodThatWasReadyBeforeTellsNothing(t *testing.T) {
	t.Parallel()
	for deadline, most := range map[time.Duration]int{0: 600, 2 * time.Minute: 120} {
		for took, tells := range map[int]bool{most - 1: true, most: false, 30 * 24 * 3600: false} {
			in := inputOf(1, becameReady("a", took))
			in.Deadline = deadline
			if report := Diagnose(in); (report.Proven != nil) != tells {
				t.Errorf("deadline %s, ready after %d s: %v", deadline, took, report.Proven)
			}
		}
	}
}

// One that flaps seems to have taken all the time until it was ready last.
func TestAPodThatFlapsTellsNothing(t *testing.T) {
	t.Parallel()
	lost := becameReady("a", 100)
	lost.Status.Conditions[0].Status, lost.Status.ContainerStatuses[0].Ready = corev1.ConditionFalse, false
	starts := podWith("a", runs(0))
	for name, test := range map[string]struct {
		first *corev1.Pod
		want  time.Duration // 0 for nothing
	}{
		"was ready":      {becameReady("a", 5), 5 * time.Second},
		"had been ready": {lost, 0},
		"was starting":   {starts, 300 * time.Second},
	} {
		first := Diagnose(inputOf(100, test.first))
		in := inputOf(301, becameReady("a", 300))
		in.Seen, in.Proven = first.Seen, first.Proven
		for range 2 {
			report := Diagnose(in)
			if got := report.Proven; (got == nil) != (test.want == 0) || got != nil && *got != test.want {
				t.Errorf("%s: got %v, want %s", name, got, test.want)
			}
			in.Seen, in.Proven = report.Seen, report.Proven
		}
	}
}

// What restores or migrates data in an init container may take hours; only a progress deadline says for how long. That it
// takes more than a minute is told.
func TestInitContainersThatTakeLong(t *testing.T) {
	t.Parallel()
	pod := podWith("a", waits("PodInitializing", ""))
	restores := runs(0)
	restores.Name = "restore"
	pod.Status.InitContainerStatuses, pod.Spec.InitContainers = []corev1.ContainerStatus{restores}, []corev1.Container{{Name: "restore"}}
	for _, test := range []struct {
		deadline time.Duration
		now      int
		severity Severity
		starting bool
		// next is when to look again, 0 for never.
		next int
	}{
		{0, 59, Warning, true, 60},
		{0, 60, Warning, false, 0},
		{0, 86400, Warning, false, 0},
		{10 * time.Minute, 59, Warning, true, 60},
		{10 * time.Minute, 60, Warning, false, 600},
		{10 * time.Minute, 600, Fatal, false, 0},
	} {
		in := inputOf(test.now, pod)
		in.Deadline = test.deadline
		report := Diagnose(in)
		f := &report.Findings[0]
		if f.ID != InitContainerRunning || f.Severity != test.severity || f.Starting() != test.starting || (f.Grace == nil) != (test.deadline == 0) {
			t.Errorf("%+v: got %s %s, starting %v, grace %+v", test, f.Severity, f, f.Starting(), f.Grace)
		}
		if want := at(test.next).Time; test.next > 0 && !report.Next.Equal(want) || test.next == 0 && !report.Next.IsZero() {
			t.Errorf("%+v: next %s", test, report.Next)
		}
	}
}
