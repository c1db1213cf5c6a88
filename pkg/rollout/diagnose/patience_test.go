package diagnose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// isReady makes a pod ready since a moment.
func isReady(pod *corev1.Pod, since int) *corev1.Pod {
	for i := range pod.Status.ContainerStatuses {
		pod.Status.ContainerStatuses[i].Ready = true
	}
	pod.Status.Conditions[0].Status, pod.Status.Conditions[0].LastTransitionTime = corev1.ConditionTrue, at(since)
	return pod
}

// A readiness gate is met by somebody who acts once the containers are ready: only from then on its time runs.
func TestAReadinessGateIsGivenTimeFromWhenTheContainersAreReady(t *testing.T) {
	t.Parallel()
	gated := podWith("a", runs(1))
	gated.Status.ContainerStatuses[0].Ready = true
	gated.Status.Conditions[0].Reason = "ReadinessGatesNotReady"
	gated.Status.Conditions = append(gated.Status.Conditions, corev1.PodCondition{
		Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: at(90),
	})
	lost := gated.DeepCopy() // it was ready, and a gate is not met any more
	lost.Status.Conditions[0].LastTransitionTime = at(1000)
	if got := summary(Diagnose(inputOf(1001, lost))); got != "warning ReadinessGateNotMet 1" {
		t.Errorf("lost: got %s", got)
	}
	if f := Diagnose(inputOf(91, gated)).Findings[0]; !f.Starting() {
		t.Error("what every pod goes through as it starts is no warning")
	}
	for name, test := range map[string]struct {
		now      int
		deadline time.Duration
		others   []*corev1.Pod
		want     string
	}{
		"ready just now":            {now: 91, want: "warning ReadinessGateNotMet 1"},
		"for a minute":              {now: 150, want: "fatal ReadinessGateNotMet 1"},
		"within the deadline":       {now: 600, deadline: 10 * time.Minute, want: "warning ReadinessGateNotMet 1"},
		"for as long as that":       {now: 690, deadline: 10 * time.Minute, want: "fatal ReadinessGateNotMet 1"},
		"others took as long":       {now: 250, others: []*corev1.Pod{isReady(podWith("o", runs(0)), 100)}, want: "warning ReadinessGateNotMet 1"},
		"others took half the time": {now: 290, others: []*corev1.Pod{isReady(podWith("o", runs(0)), 100)}, want: "fatal ReadinessGateNotMet 1"},
	} {
		in := inputOf(test.now, gated)
		in.Deadline, in.Others = test.deadline, test.others
		if got := summary(Diagnose(in)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// A restart count is of a pod's whole life: only ends that follow each other soon are a loop.
func TestEndsAfterALongRunAreNoLoop(t *testing.T) {
	t.Parallel()
	const long = 100 * 24 * 3600
	again := runs(long + 20)
	again.RestartCount, again.LastTerminationState, again.Ready = 2, ended(1, "Error", 5, long+19), true
	oom := again
	oom.LastTerminationState = ended(137, "OOMKilled", 5, long+19)
	soon := again
	soon.LastTerminationState = ended(1, "Error", long, long+19)
	down := corev1.ContainerStatus{State: ended(1, "Error", 5, long+19), RestartCount: 5}
	loop := corev1.ContainerStatus{State: ended(1, "Error", long, long+19), RestartCount: 5}
	never := corev1.ContainerStatus{State: ended(128, "StartError", 0, long+19), RestartCount: 1}
	never.State.Terminated.StartedAt, never.State.Terminated.Message = metav1.Unix(0, 0), `exec: "/nope": stat /nope: no such file or directory`
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		want   string
	}{
		"after a long run":            {again, "warning ContainerRestarted 1"},
		"of memory, after a long run": {oom, "warning ContainerRestarted 1"},
		"after a short run":           {soon, "fatal CrashLoopBackOff 1"},
		"just now, after a long run":  {down, "warning ContainerRestarted 1"},
		"just now, after a short run": {loop, "fatal CrashLoopBackOff 1"},
		"just now, and never ran":     {never, "fatal RunContainerError 1"},
	} {
		pod := podWith("a", test.status)
		if test.status.Ready {
			isReady(pod, long+21)
		}
		if got := summary(Diagnose(inputOf(long+30, pod))); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// Old pods that are ending hold nodes, ports, volumes and quota until then: their deletionTimestamp is when that is.
func TestOldPodsThatDrainAreWaitedFor(t *testing.T) {
	t.Parallel()
	unscheduled := func(message string) *corev1.Pod {
		pod := podWith("a", corev1.ContainerStatus{})
		pod.Spec.NodeName, pod.Status.ContainerStatuses = "", nil
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", LastTransitionTime: at(0), Message: message,
		})
		return pod
	}
	attach := podWith("a", waits("ContainerCreating", ""))
	inUse := about(attach, "", "FailedAttachVolume", "Multi-Attach error", 0)
	draining, end := podWith("o", runs(0)), at(300)
	draining.DeletionTimestamp = &end
	quota := &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Conditions: []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota: q", LastTransitionTime: at(0),
	}}}}
	for name, test := range map[string]struct {
		pod    *corev1.Pod
		set    *appsv1.ReplicaSet
		events []*corev1.Event
		id     string
		grace  int
	}{
		"no room":       {pod: unscheduled("0/3 nodes are available: 3 Insufficient cpu."), id: InsufficientResources, grace: 60},
		"host port":     {pod: unscheduled("0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports."), id: NodesUnsuitable, grace: 60},
		"both":          {pod: unscheduled("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod anti-affinity rules."), id: Unschedulable, grace: 60},
		"volume in use": {pod: attach, events: []*corev1.Event{inUse}, id: FailedAttachVolume, grace: 120},
		"quota":         {set: quota, id: QuotaExceeded, grace: 45},
	} {
		for seconds, severity := range map[int]Severity{test.grace + 10: Fatal, 299: Warning, 299 + test.grace: Warning, 300 + test.grace: Fatal} {
			in := inputOf(seconds)
			if test.pod != nil {
				in.Pods = []*corev1.Pod{test.pod}
			}
			in.ReplicaSet, in.Events = test.set, test.events
			if seconds > test.grace+10 {
				in.Others = []*corev1.Pod{draining}
			}
			if got, want := summary(Diagnose(in)), fmt.Sprintf("%s %s 1", severity, test.id); !strings.Contains(got, want) {
				t.Errorf("%s after %d s: got %s, want %s", name, seconds, got, want)
			}
		}
	}
	// Pods that become ready show that old ones make room for new ones, on the same node too.
	in := inputOf(100, unscheduled("0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports."), isReady(podWith("b", runs(0)), 90))
	if got := summary(Diagnose(in)); got != "warning NodesUnsuitable 1" {
		t.Errorf("others become ready: got %s", got)
	}
}

// While the kubelet pulls again the container's status still tells of the pull that failed; only events tell that one is
// under way.
func TestAPullUnderWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	const unreachable, absent = "dial tcp: i/o timeout", "manifest unknown"
	for name, test := range map[string]struct {
		reason, message string
		pulling, failed int
		now             int
		want            string
	}{
		"it pulls again":              {"ImagePullBackOff", unreachable, 15, 0, 60, "warning RegistryUnavailable 1"},
		"for long":                    {"ErrImagePull", unreachable, 15, 0, 599, "warning RegistryUnavailable 1"},
		"for too long":                {"ErrImagePull", unreachable, 15, 0, 600, "fatal RegistryUnavailable 1"},
		"for a reason not known":      {"ErrImagePull", "no space left on device", 15, 0, 60, "warning ImagePullFailed 1"},
		"that failed too":             {"ErrImagePull", unreachable, 15, 16, 30, "fatal RegistryUnavailable 1"},
		"that failed too, in time":    {"ErrImagePull", unreachable, 15, 16, 29, "warning RegistryUnavailable 1"},
		"that failed the same second": {"ErrImagePull", unreachable, 15, 15, 30, "fatal RegistryUnavailable 1"},
		"what does not exist":         {"ImagePullBackOff", absent, 15, 0, 16, "fatal ImageNotFound 1"},
	} {
		pod := podWith("a", waits(test.reason, test.message))
		failed, pulling := about(pod, "app", "Failed", `Failed to pull image "x": `+test.message, 0), about(pod, "app", "Pulling", `Pulling image "x"`, -5)
		failed.LastTimestamp, pulling.LastTimestamp = at(test.failed), at(test.pulling)
		in := inputOf(test.now, pod)
		in.Events = []*corev1.Event{failed, pulling}
		if got := summary(Diagnose(in)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// Who may not read events does not know whether a node is being added, or an image pulled again.
func TestWithoutEventsThereIsMoreTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pod *corev1.Pod
		id  string
		// seen and blind are the graces in seconds with the right to list events and without it.
		seen, blind int
	}{
		"no room":            {unscheduled("a", "0/3 nodes are available: 3 Insufficient cpu."), InsufficientResources, 60, 600},
		"no node fits":       {unscheduled("a", "0/3 nodes are available: 3 node(s) had untolerated taint(s)."), NodesUnsuitable, 60, 600},
		"no claim":           {unscheduled("a", `0/3 nodes are available: persistentvolumeclaim "data" not found.`), PersistentVolumeClaimNotFound, 12, 12},
		"registry away":      {podWith("a", waits("ErrImagePull", "dial tcp: i/o timeout")), RegistryUnavailable, 30, 600},
		"for another reason": {podWith("a", waits("ErrImagePull", "no space left on device")), ImagePullFailed, 30, 600},
	} {
		for isBlind, grace := range map[bool]int{false: test.seen, true: test.blind} {
			for now, severity := range map[int]Severity{grace - 1: Warning, grace: Fatal} {
				in := inputOf(now, test.pod)
				in.Seen, in.Blind, in.Deadline = nil, isBlind, time.Minute
				if got, want := summary(Diagnose(in)), fmt.Sprintf("%s %s 1", severity, test.id); got != want {
					t.Errorf("%s, blind %v, after %d s: got %s, want %s", name, isBlind, now, got, want)
				}
			}
		}
	}
}

// The kubelet's texts differ with every attempt where they name ports; the time runs from the first.
func TestPullsThatFailWithOtherWordsEachTime(t *testing.T) {
	t.Parallel()
	pod := podWith("a", waits("ImagePullBackOff", "read tcp 10.0.0.1:41001->10.0.0.2:443: i/o timeout"))
	in := inputOf(1030, pod)
	pod.Status.Conditions[0].LastTransitionTime = at(1000)
	for i, text := range []string{"10.0.0.1:41003", "10.0.0.1:41002", "10.0.0.1:41001"} {
		when := []int{0, 1000, 1029}[i] // the first was before the pod was ready, and counts for nothing
		in.Events = append(in.Events, about(pod, "app", "Failed", `Failed to pull image "x": read tcp `+text+`->10.0.0.2:443: i/o timeout`, when))
	}
	if f := Diagnose(in).Findings[0]; f.Severity != Fatal || !f.Grace.Until.Equal(at(1030).Time) {
		t.Errorf("got %s, %+v", &f, f.Grace)
	}
}

// What a node under load says is no verdict on the application, and a hook may fail once as a container may end once.
func TestStartsThatFailOnce(t *testing.T) {
	t.Parallel()
	const slow, bad = "context deadline exceeded", `exec: "/nope": stat /nope: no such file or directory`
	again := func(status corev1.ContainerStatus) corev1.ContainerStatus {
		status.RestartCount = 1
		return status
	}
	backOff := func(message string) corev1.ContainerStatus {
		status := again(waits("CrashLoopBackOff", "back-off 10s"))
		status.LastTerminationState = ended(128, "StartError", 1, 2)
		status.LastTerminationState.Terminated.Message = message
		return status
	}
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		now    int
		want   string
	}{
		"a bad command":             {waits("RunContainerError", bad), 1, "fatal RunContainerError 1"},
		"a bad command, again":      {backOff(bad), 1, "fatal RunContainerError 1"},
		"a command not in the path": {waits("RunContainerError", `exec: "nope": executable file not found in $PATH: unknown`), 1, "fatal RunContainerError 1"},
		"not to be executed":        {waits("RunContainerError", `exec: "/app/run": permission denied: unknown`), 1, "fatal RunContainerError 1"},
		"for another machine":       {waits("RunContainerError", "exec /app/run: exec format error"), 1, "fatal RunContainerError 1"},
		"a folder":                  {waits("RunContainerError", `exec: "/app": is a directory: unknown`), 1, "fatal RunContainerError 1"},
		"by crun":                   {waits("RunContainerError", "executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found"), 1, "fatal RunContainerError 1"},
		"no more processes":         {waits("RunContainerError", "runc create failed: unable to start container process: error during container init: resource temporarily unavailable"), 1, "warning RunContainerError 1"},
		"nor after a while":         {waits("RunContainerError", "runc create failed: unable to start container process: error during container init: resource temporarily unavailable"), 31, "fatal RunContainerError 1"},
		"the shim is gone":          {backOff("ttrpc: closed: unknown"), 1, "warning RunContainerError 1"},
		"a full disk":               {waits("RunContainerError", "failed to create task: mkdir /run/x: no space left on device"), 1, "warning RunContainerError 1"},
		"the node's own files":      {waits("RunContainerError", "error mounting cgroup: open /sys/fs/cgroup/x: permission denied"), 1, "warning RunContainerError 1"},
		"a slow node":               {waits("RunContainerError", slow), 1, "warning RunContainerError 1"},
		"a node that stays slow":    {waits("RunContainerError", slow), 31, "fatal RunContainerError 1"},
		"a slow node, backing off":  {backOff(slow), 1, "warning RunContainerError 1"},
		"a hook":                    {waits("PostStartHookError", "no"), 1, "warning ContainerRestarted 1"},
		"a hook, again":             {again(waits("PostStartHookError", "no")), 1, "fatal PostStartHookError 1"},
	} {
		in := inputOf(test.now, podWith("a", test.status))
		in.Seen = nil // it has been so since the beginning
		report := Diagnose(in)
		if got := summary(report); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		if f := report.Findings[0]; strings.Contains(name, "slow") && (f.Grace == nil || f.Grace.Length != 30*time.Second) {
			t.Errorf("%s: got %+v", name, f.Grace)
		}
	}
}

// An init container that waits for something may end with an error until that is there. Ready pods that went through that
// show that it comes good; of a first version nobody knows, and what it waits for may have been installed together with it.
func TestInitContainersThatTryAgainByDesign(t *testing.T) {
	t.Parallel()
	waiting := func(name string, status corev1.ContainerStatus) *corev1.Pod {
		pod := podWith("a", waits("PodInitializing", ""))
		status.Name = name
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{status}
		pod.Spec.InitContainers = []corev1.Container{{Name: name}}
		return pod
	}
	down := corev1.ContainerStatus{RestartCount: 1, State: ended(1, "Error", 5, 6)}
	backOff := waits("CrashLoopBackOff", "")
	backOff.RestartCount, backOff.LastTerminationState = 3, ended(1, "Error", 5, 6)
	tries := runs(8)
	tries.RestartCount, tries.LastTerminationState = 3, ended(1, "Error", 5, 6)
	oom := backOff
	oom.LastTerminationState = ended(137, "OOMKilled", 5, 6)
	old := isReady(podWith("o", runs(0)), 90)
	old.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "wait-for-db", RestartCount: 2, State: ended(0, "Completed", 1, 2)}}
	const warns, fails = "warning InitContainerFailed 1", "fatal InitContainerFailed 1"
	for name, test := range map[string]struct {
		pod *corev1.Pod
		now int
		// want is beside an old pod that is ready, first where none is.
		want, first string
	}{
		"ended":                   {waiting("wait-for-db", down), 10, warns, warns},
		"backing off":             {waiting("wait-for-db", backOff), 10, warns, warns},
		"at it again":             {waiting("wait-for-db", tries), 10, warns, warns},
		"for a quarter of it":     {waiting("wait-for-db", backOff), 75, warns, fails},
		"for the deadline":        {waiting("wait-for-db", backOff), 300, fails, fails},
		"one that never did that": {waiting("migrate", backOff), 10, fails, warns},
		"out of memory":           {waiting("wait-for-db", oom), 10, "fatal OOMKilled 1", "fatal OOMKilled 1"},
	} {
		in := inputOf(test.now, test.pod)
		in.Others, in.Deadline, in.Seen = []*corev1.Pod{old}, 5*time.Minute, nil
		if got := summary(Diagnose(in)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		in.Others = nil
		if got := summary(Diagnose(in)); got != test.first {
			t.Errorf("%s, with no old pods: got %s, want %s", name, got, test.first)
		}
	}
}

// After many events a kubelet reports hardly any. The trouble lasts for as long as the pod has no sandbox.
func TestSandboxTroubleThatIsReportedNoMore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		last    int
		sandbox corev1.ConditionStatus
		want    string
	}{
		"no sandbox":               {last: 135, sandbox: corev1.ConditionFalse, want: "fatal FailedCreatePodSandBox 1"},
		"a sandbox":                {last: 135, sandbox: corev1.ConditionTrue, want: ""},
		"not known":                {last: 135, sandbox: corev1.ConditionUnknown, want: ""},
		"an attempt that is alone": {last: 2, sandbox: corev1.ConditionFalse, want: ""},
	} {
		pod := podWith("a", waits("ContainerCreating", ""))
		pod.CreationTimestamp, pod.Status.Conditions[0].LastTransitionTime = at(-1), at(-1)
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodReadyToStartContainers, Status: test.sandbox, LastTransitionTime: at(0),
		})
		in := inputOf(600, pod)
		event := about(pod, "", "FailedCreatePodSandBox", `failed to get sandbox image "pause:1"`, 0)
		event.LastTimestamp, event.CreationTimestamp = at(test.last), at(0)
		in.Events = append(in.Events, event)
		if got := summary(Diagnose(in)); got != test.want && (test.want != "" || strings.Contains(got, "FailedCreatePodSandBox")) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Mounts that came good are told by nothing but that they are told no more; the sandbox may then still take its time.
func TestMountsThatHavePassed(t *testing.T) {
	t.Parallel()
	const absent, network = `MountVolume.SetUp failed for volume "c" : configmap "settings" not found`, "Failed to create pod sandbox: no address"
	type told struct {
		reason, message   string
		first, last, late int
	}
	for name, test := range map[string]struct {
		told []told
		now  int
		want string
	}{
		"just now":               {[]told{{"FailedMount", absent, 0, 0, 0}}, 5, "warning ConfigMapNotFound 1"},
		"once":                   {[]told{{"FailedMount", absent, 0, 0, 0}}, 21, ""},
		"for a while":            {[]told{{"FailedMount", absent, 0, 3, 0}}, 21, ""},
		"again and again":        {[]told{{"FailedMount", absent, 0, 15, 0}}, 21, "fatal ConfigMapNotFound 1"},
		"until now":              {[]told{{"FailedMount", absent, 0, 7, 0}}, 20, "fatal ConfigMapNotFound 1"},
		"told late":              {[]told{{"FailedMount", absent, 0, 3, 11}}, 21, "fatal ConfigMapNotFound 1"},
		"by a clock behind":      {[]told{{"FailedMount", absent, -120, -105, 120}}, 21, "fatal ConfigMapNotFound 1"},
		"for hours":              {[]told{{"FailedMount", absent, 0, 7200, 0}}, 7500, "fatal ConfigMapNotFound 1"},
		"in other words":         {[]told{{"FailedCreatePodSandBox", network + " 2", 50, 50, 0}, {"FailedCreatePodSandBox", network + " 1", 1, 1, 0}}, 62, "fatal FailedCreatePodSandBox 1"},
		"sandbox, once":          {[]told{{"FailedCreatePodSandBox", network, 1, 1, 0}}, 62, ""},
		"one of two":             {[]told{{"FailedMount", absent, 0, 0, 0}, {"FailedCreatePodSandBox", network, 12, 25, 0}}, 30, "warning FailedCreatePodSandBox 1"},
		"not mounted in two min": {[]told{{"FailedMount", unmounted + ": timed out", 120, 120, 0}}, 240, "fatal FailedMount 1"},
		"in use":                 {[]told{{"FailedAttachVolume", "Multi-Attach error", 0, 0, 0}}, 130, "fatal FailedAttachVolume 1"},
		"in use no more":         {[]told{{"FailedAttachVolume", "Multi-Attach error", 0, 0, 0}, {"SuccessfulAttachVolume", "", 60, 60, 0}}, 130, ""},
	} {
		pod := podWith("a", waits("ContainerCreating", ""))
		pod.CreationTimestamp, pod.Status.Conditions[0].LastTransitionTime = at(-1), at(-1)
		in := inputOf(test.now, pod)
		for _, e := range test.told {
			event := about(pod, "", e.reason, e.message, e.first)
			event.LastTimestamp, event.CreationTimestamp = at(e.last), at(e.first+e.late)
			in.Events = append(in.Events, event)
		}
		if got := summary(Diagnose(in)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
