package diagnose

import (
	"fmt"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What the kubelet says that no recording has, in the words of its sources (pkg/kubelet/images and pkg/kubelet/container).
func TestTheKubeletsWords(t *testing.T) {
	t.Parallel()
	const signature = "image pull failed for x because the signature validation failed: Source image rejected: access denied"
	const registry = "image pull failed for x because the registry is unavailable: rpc error: code = Unknown"
	for name, test := range map[string]struct {
		reason, message string
		want            string
		// grace is in seconds, 0 where it is fatal at once or nothing at all.
		grace int
	}{
		"image cannot be read":   {"ImageInspectError", `Failed to inspect image "x": rpc error: code = Unknown desc = broken`, ImageInspectError, 30},
		"registry away":          {"RegistryUnavailable", registry, RegistryUnavailable, 30},
		"registry away, waiting": {"ImagePullBackOff", `Back-off pulling image "x": RegistryUnavailable: ` + registry, RegistryUnavailable, 30},
		"signature":              {"SignatureValidationFailed", signature, SignatureValidationFailed, 0},
		"signature, waiting":     {"ImagePullBackOff", `Back-off pulling image "x": SignatureValidationFailed: ` + signature, SignatureValidationFailed, 0},
		"not fetched yet":        {"CreateContainerConfigError", "failed to sync configmap cache: timed out waiting for the condition", "", 0},
		"before the start":       {"PreStartHookError", "no", RunContainerError, 30},
		"before that":            {"PreCreateHookError", "no", RunContainerError, 30},
		"cannot be created":      {"CreateContainerError", "failed to reserve container name", CreateContainerError, 20},
	} {
		for _, now := range []int{0, test.grace} {
			want := ""
			if test.want != "" {
				severity := Fatal
				if now < test.grace {
					severity = Warning
				}
				want = fmt.Sprintf("%s %s 1", severity, test.want)
			}
			if got := summary(Diagnose(inputOf(now, podWith("a", waits(test.reason, test.message))))); got != want && now == 0 {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
			in := inputOf(now, podWith("a", waits(test.reason, test.message)))
			if in.Seen = nil; summary(Diagnose(in)) != want {
				t.Errorf("%s, %d s later: got %q, want %q", name, now, summary(Diagnose(in)), want)
			}
		}
	}
}

// A sidecar is an init container that goes on running: it ends in a loop as any other container, and must not end at all.
func TestSidecars(t *testing.T) {
	t.Parallel()
	loop := waits("CrashLoopBackOff", "")
	loop.RestartCount, loop.LastTerminationState = 2, ended(0, "Completed", 1, 2)
	first := corev1.ContainerStatus{State: ended(1, "Error", 1, 2)}
	slow := runs(1)
	slow.Started = new(false)
	for name, test := range map[string]struct {
		status  corev1.ContainerStatus
		sidecar bool
		want    string
	}{
		"a loop":                {loop, true, "fatal CrashLoopBackOff 1"},
		"ended once":            {first, true, "warning ContainerRestarted 1"},
		"not yet ready":         {slow, true, "warning NotReady 1"},
		"no sidecar":            {first, false, "warning ContainerRestarted 1"},
		"its work done":         {corev1.ContainerStatus{State: ended(0, "Completed", 1, 2)}, false, ""},
		"still at work":         {slow, false, "warning InitContainerRunning 1"},
		"no sidecar, in a loop": {loop, false, "warning InitContainerFailed 1"},
	} {
		pod := podWith("a", waits("PodInitializing", ""))
		test.status.Name = "proxy"
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{test.status}
		pod.Spec.InitContainers = []corev1.Container{{Name: "proxy"}}
		if test.sidecar {
			pod.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		}
		if got := summary(Diagnose(inputOf(3, pod))); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Containers that could not be started have "ended" by the runtime's words, and have no log.
func TestContainersThatNeverRan(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"StartError", "ContainerCannotRun"} {
		status := waits("CrashLoopBackOff", "")
		status.RestartCount, status.LastTerminationState = 1, ended(128, reason, 1, 2)
		status.LastTerminationState.Terminated.Message = `exec: "/nope": stat /nope: no such file or directory`
		f := Diagnose(inputOf(3, podWith("a", status))).Findings[0]
		if f.ID != RunContainerError || f.Severity != Fatal || f.HasLogs {
			t.Errorf("%s: got %s, logs %v", reason, &f, f.HasLogs)
		}
	}
}

// A hook that fails as a container is ended is told beside what ended it.
func TestAPreStopHookThatFails(t *testing.T) {
	t.Parallel()
	report := Diagnose(readRecording(t, "testdata/prestop.json"))
	if got := summary(report); got != "fatal LivenessProbeFailed 1, warning FailedPreStopHook 1" || report.Findings[1].Container != "app" {
		t.Errorf("got %s", got)
	}
}

// Most such hooks run in pods that are to go, mostly old ones: one of them is asked, and only where there are such hooks.
func TestAPreStopHookThatFailsInAPodThatIsEnding(t *testing.T) {
	t.Parallel()
	hooked := func(name string) *corev1.Pod {
		pod := becameReady(name, 1)
		pod.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{}}
		pod.DeletionTimestamp = new(at(40))
		return pod
	}
	stays, first, second, plain := hooked("a"), hooked("b"), hooked("c"), hooked("d")
	stays.DeletionTimestamp, plain.Spec.Containers[0].Lifecycle = nil, nil
	in := inputOf(20, second)
	in.Others = []*corev1.Pod{stays, plain, first}
	if asked := Ask(in); len(asked) != 1 || asked[0] != first {
		t.Errorf("asked %v", asked)
	}
	in.Events = []*corev1.Event{about(second, "app", "FailedPreStopHook", "PreStopHook failed", 12)}
	if asked := Ask(in); len(asked) != 1 || asked[0] != second {
		t.Errorf("asked %v, where one is known", asked)
	}
	in.Events = append(in.Events, about(first, "app", "FailedPreStopHook", "PreStopHook failed", 12))
	if report := Diagnose(in); summary(report) != "warning FailedPreStopHook 2" || report.Findings[0].Container != "app" {
		t.Errorf("got %s", summary(report))
	}
}

// Volumes of raw devices are mapped, not mounted; and an object that the kubelet has yet to fetch is not missing.
func TestOtherWordsOfMounts(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{"FailedMapVolume": "warning FailedMount 1", "FailedMount": ""} {
		pod := podWith("a", waits("ContainerCreating", ""))
		message := `MapVolume.SetUpDevice failed for volume "v": no such device`
		if want == "" {
			message = `MountVolume.SetUp failed for volume "v" : failed to sync configmap cache: timed out waiting for the condition`
		}
		in := inputOf(5, pod)
		in.Events = []*corev1.Event{about(pod, "", reason, message, 4)}
		if got := summary(Diagnose(in)); got != want {
			t.Errorf("%s: got %q, want %q", reason, got, want)
		}
	}
}

// What a node's doing is called, by the kubelet, the node controller and the scheduler.
func TestPodsThatTheirNodesEnd(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"Evicted": PodEvicted, "Preempting": PodEvicted, "NodeLost": PodEvicted, "Shutdown": PodEvicted, "NodeShutdown": PodEvicted, "Terminated": PodEvicted,
		"OutOfmemory": PodFailed, "NodeAffinity": PodFailed, "UnexpectedAdmissionError": PodFailed, "": PodFailed,
	} {
		pod := podWith("a", corev1.ContainerStatus{State: ended(137, "Error", 1, 2)})
		pod.Status.Phase, pod.Status.Reason = corev1.PodFailed, reason
		if got := summary(Diagnose(inputOf(3, pod))); got != "warning "+want+" 1" {
			t.Errorf("%q: got %s", reason, got)
		}
	}
}

// Of a StatefulSet or DaemonSet only its own events tell why it makes no pods, for as long as it lacks some.
func TestPodsOfOtherKindsThatAreRefused(t *testing.T) {
	t.Parallel()
	const quota = `create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1`
	const claim = `create Claim data-db-1 Pod db-1 in StatefulSet db failed error: persistentvolumeclaims "data-db-1" is forbidden: exceeded quota: disks`
	const security = `Error creating: pods "log-" is forbidden: violates PodSecurity "restricted:latest": privileged`
	const robot = `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found`
	type told struct {
		reason, message string
		first, last     int
	}
	refused := func(message string, first, last int) told { return told{"FailedCreate", message, first, last} }
	made := func(at int) told {
		return told{"SuccessfulCreate", "create Pod db-0 in StatefulSet db successful", at, at}
	}
	for name, test := range map[string]struct {
		missing int
		told    []told
		now     int
		want    string
	}{
		"by a quota":                {1, []told{refused(quota, 1, 12)}, 20, "warning QuotaExceeded 1"},
		"by a quota, for long":      {1, []told{refused(quota, 1, 30)}, 46, "fatal QuotaExceeded 1"},
		"a claim":                   {1, []told{refused(claim, 1, 30)}, 46, "fatal QuotaExceeded 1"},
		"for good":                  {2, []told{refused(security, 1, 1)}, 2, "fatal PodSecurityViolated 1"},
		"no account":                {2, []told{refused(robot, 1, 3)}, 16, "fatal ServiceAccountNotFound 1"},
		"none is missing":           {0, []told{refused(security, 1, 30)}, 46, ""},
		"one was made since":        {1, []told{refused(security, 1, 3), made(4)}, 46, ""},
		"made in the same second":   {1, []told{refused(security, 1, 3), made(3)}, 46, ""},
		"refused in the same one":   {1, []told{made(3), refused(security, 1, 3)}, 46, "fatal PodSecurityViolated 1"},
		"one was made before":       {1, []told{made(1), refused(security, 1, 3)}, 46, "fatal PodSecurityViolated 1"},
		"long ago, and again":       {1, []told{refused(quota, -1000, 30), made(20)}, 46, "warning QuotaExceeded 1"},
		"it is not told":            {1, nil, 46, ""},
		"the newest is what counts": {1, []told{refused(security, 1, 1), refused(quota, 2, 30)}, 46, "warning QuotaExceeded 1"},
	} {
		in := inputOf(test.now)
		in.Workload, in.UID, in.Missing = Object{"StatefulSet", "db"}, "set", test.missing
		for i, told := range test.told {
			in.Events = append(in.Events, &corev1.Event{
				ObjectMeta: metav1.ObjectMeta{ResourceVersion: strconv.Itoa(i + 1)}, InvolvedObject: corev1.ObjectReference{UID: "set"}, Reason: told.reason, Message: told.message,
				FirstTimestamp: at(told.first), LastTimestamp: at(told.last),
			})
		}
		report := Diagnose(in)
		if got := summary(report); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		if len(report.Findings) > 0 && report.Findings[0].Objects[0] != in.Workload {
			t.Errorf("%s: about %v", name, report.Findings[0].Objects)
		}
	}
}
