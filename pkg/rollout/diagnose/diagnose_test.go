package diagnose

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func at(seconds int) metav1.Time {
	return metav1.NewTime(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second))
}

// podWith is a pod on a node that has not been ready since the beginning.
func podWith(name string, status corev1.ContainerStatus) *corev1.Pod {
	if status.Name == "" {
		status.Name = "app"
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: at(0)},
		Spec:       corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "app"}}},
		Status: corev1.PodStatus{
			ContainerStatuses: []corev1.ContainerStatus{status},
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(0)}},
		},
	}
}

func waits(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func runs(since int) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(since)}}}
}

func ended(code int32, reason string, start, end int) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: at(start), FinishedAt: at(end)}}
}

func about(pod *corev1.Pod, container, reason, message string, when int) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{UID: pod.UID, FieldPath: "spec.containers{" + container + "}"},
		Reason:         reason, Message: message, FirstTimestamp: at(when), LastTimestamp: at(when),
	}
}

func inputOf(now int, pods ...*corev1.Pod) *Input {
	return &Input{Workload: Object{"Deployment", "web"}, Namespace: "shop", Pods: pods, Seen: Seen{}, Now: at(now).Time}
}

// summary is the findings in short.
func summary(r Report) string {
	texts := make([]string, len(r.Findings))
	for i := range r.Findings {
		f := &r.Findings[i]
		texts[i] = fmt.Sprintf("%s %s %d", f.Severity, f.ID, len(f.Objects))
	}
	return strings.Join(texts, ", ")
}

func TestPodsThatAreWell(t *testing.T) {
	t.Parallel()
	creating := podWith("a", waits("ContainerCreating", ""))
	creating.CreationTimestamp, creating.Status.Conditions[0].LastTransitionTime = at(900), at(900)
	ready := podWith("b", runs(1))
	ready.Status.ContainerStatuses[0].Ready = true
	ready.Status.Conditions[0].Status = corev1.ConditionTrue
	if got := summary(Diagnose(inputOf(1000, creating, ready))); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestOneFindingPerCause(t *testing.T) {
	t.Parallel()
	in := inputOf(5, podWith("c", waits("InvalidImageName", "")), podWith("a", waits("InvalidImageName", "")), podWith("b", waits("ErrImageNeverPull", "")))
	report := Diagnose(in)
	if got := summary(report); got != "fatal InvalidImageName 2, fatal ErrImageNeverPull 1" {
		t.Errorf("got %s", got)
	}
	if f := report.Findings[0]; f.Pods != 2 || f.Objects[0].Name != "a" || !strings.HasSuffix(f.String(), "(2 pods alike)") {
		t.Errorf("got %s of %v", &f, f.Objects)
	}
}

// A pull that fails once is no failure; the time runs from when it was seen first, through the kubelet's changes of words.
func TestATransientPullFailureIsGivenTime(t *testing.T) {
	t.Parallel()
	first := Diagnose(inputOf(100, podWith("a", waits("ErrImagePull", "dial tcp: i/o timeout"))))
	if got := summary(first); got != "warning RegistryUnavailable 1" || !first.Next.Equal(at(130).Time) {
		t.Errorf("got %s, next %s", got, first.Next)
	}
	later := inputOf(129, podWith("a", waits("ImagePullBackOff", `Back-off pulling image "x": ErrImagePull: dial tcp: i/o timeout`)))
	later.Seen = first.Seen
	second := Diagnose(later)
	if got := summary(second); got != "warning RegistryUnavailable 1" {
		t.Errorf("got %s", got)
	}
	last := inputOf(130, later.Pods...)
	last.Seen = second.Seen
	if got := summary(Diagnose(last)); got != "fatal RegistryUnavailable 1" {
		t.Errorf("got %s", got)
	}
	gone := inputOf(100, podWith("b", waits("ContainerCreating", "")))
	gone.Seen = second.Seen
	if again := Diagnose(gone); len(again.Seen) != 1 {
		t.Errorf("pods that are gone are remembered: %v", again.Seen)
	}
}

func TestOlderKubeletsTellInAnEventWhyAPullFails(t *testing.T) {
	t.Parallel()
	pod := podWith("a", waits("ImagePullBackOff", `Back-off pulling image "x"`))
	in := inputOf(9, pod)
	in.Events = []*corev1.Event{about(pod, "app", "Failed", `Failed to pull image "x": rpc error: code = NotFound desc = x: not found`, 5)}
	if got := summary(Diagnose(in)); got != "fatal ImageNotFound 1" {
		t.Errorf("got %s", got)
	}
}

func TestPullCauses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"manifest unknown: manifest unknown":                       ImageNotFound,
		"docker.io/library/nope:1: not found":                      ImageNotFound,
		"unexpected status from HEAD request: 404 Not Found":       ImageNotFound,
		"pull access denied for nope, repository does not exist":   ImagePullDenied,
		"authorization failed: no basic auth credentials":          ImagePullDenied,
		"unexpected status: 403 Forbidden":                         ImagePullDenied,
		"You have reached your pull rate limit. toomanyrequests":   RegistryUnavailable,
		"dial tcp: lookup r: no such host":                         RegistryUnavailable,
		"x509: certificate signed by unknown authority":            RegistryUnavailable,
		"unexpected status code 503 Service Unavailable":           RegistryUnavailable,
		"failed to fetch anonymous token: dial tcp: i/o timeout":   RegistryUnavailable,
		"failed to fetch anonymous token: 503 Service Unavailable": RegistryUnavailable,
		"failed to fetch anonymous token: 429 Too Many Requests":   RegistryUnavailable,
		"failed to fetch anonymous token: 401 Unauthorized":        ImagePullDenied,
		"failed to fetch anonymous token: something new":           ImagePullFailed,
		"failed to pull and unpack image \"x:1\": x:1: not found":  ImageNotFound,
		"code = NotFound desc = failed to pull and unpack image \"x:1\": failed to unpack image on snapshotter overlayfs: content: not found": ImagePullFailed,
		"failed to extract layer sha256:1: mount callback failed: snapshot: not found":                                                        ImagePullFailed,
		"failed to commit snapshot: content digest sha256:1: not found":                                                                       ImagePullFailed,
		"failed to copy: httpReadSeeker: failed open: content at https://r/v2/x/blobs/sha256:1 not found: not found":                          ImagePullFailed,
		"failed to copy: read tcp: connection reset by peer":                                                                                  RegistryUnavailable,
		"no space left on device": ImagePullFailed,
		`rpc error: code = NotFound desc = failed to pull and unpack image "r/x:1": no match for platform in manifest: not found`:       ImagePlatformMissing,
		"no match for platform in manifest sha256:1: not found":                                                                         ImagePlatformMissing,
		"no match for current platform linux/arm/v7 in manifest sha256:1: not found":                                                    ImagePlatformMissing,
		"no matching manifest for linux/arm64/v8 in the manifest list entries":                                                          ImagePlatformMissing,
		`choosing image instance: no image found in image index for architecture arm64, variant "v8", OS linux`:                         ImagePlatformMissing,
		"Error choosing image instance: no image found in manifest list for architecture arm, variant v8, OS linux":                     ImagePlatformMissing,
		`failed to extract layer sha256:1: mkdir /var/lib/containerd/tmp: permission denied: unknown`:                                   ImagePullFailed,
		"mkdir /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/new-1: permission denied: unknown":                  ImagePullFailed,
		`denied: Permission denied for "1" from request "/v2/team/web/manifests/1".`:                                                    ImagePullDenied,
		`denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource`:                                       ImagePullDenied,
		"reading manifest 1 in docker.io/team/web: requested access to the resource is denied":                                          ImagePullDenied,
		`Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client`:                                              RegistryUnavailable,
		"remote error: tls: handshake failure":                                                                                          RegistryUnavailable,
		"net/http: TLS handshake timeout":                                                                                               RegistryUnavailable,
		`Head "https://r.example.com/v2/x/manifests/1": EOF`:                                                                            RegistryUnavailable,
		"dial tcp: lookup r.example.com: Temporary failure in name resolution":                                                          RegistryUnavailable,
		`Get "https://r/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`: RegistryUnavailable,
	} {
		if got := pullCause(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestRestarts(t *testing.T) {
	t.Parallel()
	once := runs(20)
	once.RestartCount, once.LastTerminationState, once.Ready = 1, ended(1, "Error", 1, 19), true
	loop := once
	loop.RestartCount = 2
	unready := loop
	unready.Ready = false
	first := corev1.ContainerStatus{State: ended(1, "Error", 1, 19)}
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		now    int
		want   string
	}{
		"first end":              {first, 20, "warning ContainerRestarted 1"},
		"once":                   {once, 30, "warning ContainerRestarted 1"},
		"once, long ago":         {once, 1000, ""},
		"twice, and ready again": {loop, 30, "fatal CrashLoopBackOff 1"},
		"twice, until believed":  {loop, 55, "fatal CrashLoopBackOff 1"},
		"twice, and believed":    {loop, 56, "warning ContainerRestarted 1"},
		"twice, and not ready":   {unready, 56, "fatal CrashLoopBackOff 1"},
		"twice, long ago":        {loop, 1000, ""},
	} {
		pod := podWith("a", test.status)
		if test.status.Ready {
			pod.Status.Conditions[0].Status = corev1.ConditionTrue
		}
		report := Diagnose(inputOf(test.now, pod))
		if got := summary(report); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		if strings.Contains(fmt.Sprint(report.Findings), "[CrashLoopBackOff]") {
			t.Errorf("%s: a loop is told of that is none: %v", name, report.Findings)
		}
	}
}

// Only events tell that the kubelet ended a container, and an event of an earlier run tells nothing of the last one.
func TestWhoEndedAContainer(t *testing.T) {
	t.Parallel()
	status := waits("CrashLoopBackOff", "")
	status.RestartCount, status.LastTerminationState = 3, ended(137, "Error", 100, 120)
	for name, test := range map[string]struct {
		reason, message string
		when            int
		want            string
	}{
		"liveness":       {"Killing", "Container app failed liveness probe, will be restarted", 118, LivenessProbeFailed},
		"an earlier run": {"Killing", "Container app failed liveness probe, will be restarted", 50, CrashLoopBackOff},
		"startup":        {"Killing", "Container app failed startup probe, will be restarted", 118, StartupProbeFailed},
		"hook":           {"FailedPostStartHook", "PostStartHook failed", 118, PostStartHookError},
		"something else": {"BackOff", "Back-off restarting failed container", 121, CrashLoopBackOff},
	} {
		pod := podWith("a", status)
		in := inputOf(125, pod)
		in.Events = []*corev1.Event{about(pod, "app", test.reason, test.message, test.when)}
		f := Diagnose(in).Findings[0]
		if f.ID != test.want || f.Severity != Fatal {
			t.Errorf("%s: got %s", name, &f)
		}
		if f.ID == CrashLoopBackOff && !strings.Contains(f.Message, "does not tell by whom") {
			t.Errorf("%s: guessed: %s", name, &f)
		}
	}
}

func TestReadinessGrace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		c    corev1.Container
		want time.Duration
	}{
		"none":     {corev1.Container{}, time.Minute},
		"defaults": {corev1.Container{ReadinessProbe: &corev1.Probe{}}, time.Minute},
		"slow":     {corev1.Container{ReadinessProbe: &corev1.Probe{InitialDelaySeconds: 90, PeriodSeconds: 10, FailureThreshold: 3}}, 121 * time.Second},
		"startup": {corev1.Container{
			StartupProbe:   &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 60},
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 2, TimeoutSeconds: 3},
		}, 314 * time.Second},
	} {
		if got, why := grace(&test.c); got != test.want {
			t.Errorf("%s: got %s, want %s: %s", name, got, test.want, why)
		}
	}
}

func TestPendingCauses(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.": InsufficientResources,
		"0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.":                                                               InsufficientResources,
		"0/2 nodes are available: 2 Too many pods.":                                                                                         InsufficientResources,
		"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).":                                                  Unschedulable,
		"0/3 nodes are available: 3 node(s) had untolerated taint(s).":                                                                      NodesUnsuitable,
		"0/1 nodes are available: 1 node(s) were unschedulable.":                                                                            NodesUnsuitable,
		"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found":                                              PersistentVolumeClaimUnbound,
		"0/1 nodes are available: 1 node(s) had something new.":                                                                             Unschedulable,
		"no nodes available to schedule pods":                                                                                               Unschedulable,
	} {
		if got := pendingCause(message); got != want {
			t.Errorf("%q: got %s, want %s", message, got, want)
		}
	}
}

func TestANodeThatIsBeingAddedIsWaitedFor(t *testing.T) {
	t.Parallel()
	pod := podWith("a", corev1.ContainerStatus{})
	pod.Spec.NodeName, pod.Status.ContainerStatuses = "", nil
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", LastTransitionTime: at(0),
		Message: "0/3 nodes are available: 3 Insufficient cpu.",
	})
	in := inputOf(61, pod)
	if got := summary(Diagnose(in)); got != "fatal InsufficientResources 1" {
		t.Errorf("got %s", got)
	}
	in.Events = []*corev1.Event{about(pod, "", "TriggeredScaleUp", "pod triggered scale-up: [{pool 1->2 (max: 3)}]", 10)}
	if got := summary(Diagnose(in)); got != "warning InsufficientResources 1" {
		t.Errorf("got %s", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`pods "a" is forbidden: exceeded quota: q, requested: pods=1`:                                                QuotaExceeded,
		`pods "a" is forbidden: failed quota: q: must specify limits.cpu`:                                            QuotaExceeded,
		`admission webhook "w.example.com" denied the request: no`:                                                   AdmissionDenied,
		`Internal error occurred: failed calling webhook "w.example.com": connection refused`:                        AdmissionUnavailable,
		`pods "a" is forbidden: minimum cpu usage per Container is 1, but request is 1m`:                             LimitRangeViolated,
		`pods "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: x`: AdmissionDenied,
		`pods "a" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 2Gi`:                               LimitRangeViolated,
		`pods "a" is forbidden: maximum cpu usage per Container is 1.  No limit is specified`:                        LimitRangeViolated,
		`pods "a" is forbidden: minimum memory usage per Container is 1Gi.  No request is specified`:                 LimitRangeViolated,
		`pods "a" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000`:   LimitRangeViolated,
		`pods "a" is forbidden: no PriorityClass with name urgent was found`:                                         PriorityClassNotFound,
		`the server is currently unable to handle the request`:                                                       FailedCreate,
	} {
		if got := refusalCause(message); got != want {
			t.Errorf("%q: got %s, want %s", message, got, want)
		}
	}
}

// A quota may only slow a rollout down: as long as pods become ready there is no failure.
func TestAQuotaThatThrottlesIsNoFailure(t *testing.T) {
	t.Parallel()
	ready := podWith("a", runs(0))
	ready.Status.ContainerStatuses[0].Ready = true
	ready.Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at(90)}
	in := inputOf(100, ready)
	in.Namespace, in.ReplicaSet = "shop", &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Conditions: []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota: q", LastTransitionTime: at(10),
	}}}}
	in.ReplicaSet.Name = "web-1"
	if got := summary(Diagnose(in)); got != "warning QuotaExceeded 1" {
		t.Errorf("got %s", got)
	}
	in.Now = at(135).Time
	report := Diagnose(in)
	if got := summary(report); got != "fatal QuotaExceeded 1" {
		t.Errorf("got %s", got)
	}
	if got := strings.Join(report.Findings[0].Evidence, "\n"); !strings.Contains(got, "'kubectl label replicaset web-1 -n shop retried=$(date +%s) --overwrite'") {
		t.Errorf("it does not tell how to have it tried again: %s", got)
	}
}

func TestTheReplicaSetCannotBeCreated(t *testing.T) {
	t.Parallel()
	in := inputOf(20)
	in.Deployment = &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ReplicaSetCreateError", Message: "no", LastTransitionTime: at(0),
	}}}}
	if got := summary(Diagnose(in)); got != "fatal ReplicaSetCreateError 1" {
		t.Errorf("got %s", got)
	}
}

func TestAnOrderedStatefulSetWaitsForAPodOfAnOlderRevision(t *testing.T) {
	t.Parallel()
	crash := waits("CrashLoopBackOff", "")
	crash.LastTerminationState = ended(1, "Error", 0, 1)
	in := inputOf(40)
	in.Workload = Object{"StatefulSet", "db"}
	in.Others = []*corev1.Pod{podWith("db-2", crash)}
	in.Stale = in.Others
	report := Diagnose(in)
	if got := summary(report); got != "fatal StaleRevisionBlocks 1" {
		t.Fatalf("got %s", got)
	}
	f := report.Findings[0]
	// One that was ready before may become so again: it is named, and nobody is told to delete it.
	in.Recovering, in.Stale = in.Stale, nil
	if again := Diagnose(in); summary(again) != "warning StaleRevisionUnready 1" || again.Findings[0].Remedy[0] != "kubectl describe pod db-2 -n shop" {
		t.Errorf("got %s, %q", summary(again), again.Findings[0].Remedy)
	}
	if f.Remedy[0] != "kubectl delete pod db-2 -n shop" || !strings.Contains(f.Evidence[0], "CrashLoopBackOff") {
		t.Errorf("got %q, %q", f.Remedy, f.Evidence)
	}
}

func TestOtherPods(t *testing.T) {
	t.Parallel()
	evicted := podWith("a", corev1.ContainerStatus{})
	evicted.Status.Phase, evicted.Status.Reason = corev1.PodFailed, "Evicted"
	refused := podWith("b", corev1.ContainerStatus{})
	refused.Status.Phase, refused.Status.Reason = corev1.PodFailed, "OutOfcpu"
	strange := podWith("c", waits("Meditating", "om"))
	gate := podWith("d", runs(0))
	gate.Status.ContainerStatuses[0].Ready = true
	gate.Status.Conditions[0].Reason = "ReadinessGatesNotReady"
	unseen := podWith("e", corev1.ContainerStatus{})
	unseen.Spec.NodeName, unseen.Status.ContainerStatuses = "", nil
	for want, pod := range map[string]*corev1.Pod{
		"warning PodEvicted 1": evicted, "warning PodFailed 1": refused, "warning Undetermined 1": strange,
		"warning ReadinessGateNotMet 1": gate, "warning NotScheduled 1": unseen,
	} {
		if got := summary(Diagnose(inputOf(50, pod))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	in := inputOf(121, strange)
	in.Seen = nil // looked at but once, it has been so since the pod was not ready
	if got := summary(Diagnose(in)); got != "fatal Undetermined 1" {
		t.Errorf("got %s", got)
	}
}

// What is to be run next has to work for the workload that it is about.
func TestRemedies(t *testing.T) {
	t.Parallel()
	projected := podWith("a", waits("ContainerCreating", ""))
	projected.Spec.Volumes = []corev1.Volume{{Name: "c", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "login"}}},
		{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "colors"}, Items: []corev1.KeyToPath{{Key: "color"}}}},
		{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "shapes"}, Items: []corev1.KeyToPath{{Key: "shape"}}}},
	}}}}}
	const lacks = `MountVolume.SetUp failed for volume "c" : references non-existent config key: `
	for name, test := range map[string]struct {
		kind      string
		situation Situation
		pod       *corev1.Pod
		mount     string
		want      string
	}{
		"image of a Deployment":    {kind: "Deployment", pod: podWith("a", waits("InvalidImageName", "")), want: "kubectl rollout-plus start deployment/web -n shop --image app=IMAGE"},
		"image of a StatefulSet":   {kind: "StatefulSet", pod: podWith("a", waits("InvalidImageName", "")), want: "kubectl set image statefulset/web app=IMAGE -n shop"},
		"image of a DaemonSet":     {kind: "DaemonSet", pod: podWith("a", waits("InvalidImageName", "")), want: "kubectl set image daemonset/web app=IMAGE -n shop"},
		"image while it rolls out": {kind: "Deployment", situation: Situation{Refused: true}, pod: podWith("a", waits("InvalidImageName", "")), want: "kubectl set image deployment/web app=IMAGE -n shop"},
		"image of an open rollout": {
			kind: "Deployment", situation: Situation{Refused: true, Open: true}, pod: podWith("a", waits("InvalidImageName", "")),
			want: "kubectl set image deployment/web app=IMAGE -n shop, kubectl rollout-plus resume deployment/web -n shop",
		},
		"image of a driven rollout": {
			kind: "Deployment", situation: Situation{Refused: true, Open: true, Driven: true}, pod: podWith("a", waits("InvalidImageName", "")),
			want: "kubectl set image deployment/web app=IMAGE -n shop, kubectl rollout-plus status deployment/web -n shop",
		},
		"key of one of several":    {kind: "Deployment", pod: projected, mount: lacks + "color", want: "kubectl describe configmap colors -n shop"},
		"key of nobody knows what": {kind: "Deployment", pod: projected, mount: lacks + "sound", want: "kubectl describe pod a -n shop"},
	} {
		in := inputOf(1, test.pod)
		in.Workload.Kind, in.Situation = test.kind, test.situation
		if test.mount != "" {
			in.Events = []*corev1.Event{about(test.pod, "", "FailedMount", test.mount, 0)}
		}
		if got := strings.Join(Diagnose(in).Findings[0].Remedy, ", "); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// A rollout without progress can go back, where there is something to go back to; one that has gone back leaves no pods.
func TestRemediesOfADeadline(t *testing.T) {
	t.Parallel()
	const describes, undoes = "kubectl describe deployment/web -n shop", "kubectl rollout-plus undo deployment/web -n shop"
	const again = "kubectl rollout-plus start deployment/web -n shop --to-revision 3 --on-failure hold"
	cause := Diagnose(inputOf(1, podWith("a", waits("InvalidImageName", "")))).Findings[0]
	for name, test := range map[string]struct {
		kind      string
		situation Situation
		cause     *Finding
		leaves    bool
		want      string
	}{
		"a set has gone back": {kind: "StatefulSet", leaves: true, want: strings.Replace(again, "deployment", "statefulset", 1)},
		"a later version":     {want: undoes},
		"the first version":   {situation: Situation{First: true}, want: describes},
		"for an image":        {situation: Situation{Refused: true}, cause: &cause, want: "kubectl set image deployment/web app=IMAGE -n shop, " + undoes},
		"it has gone back":    {leaves: true, want: again},
		"for an image, twice": {situation: Situation{Refused: true, Open: true}, cause: &cause, leaves: true, want: "kubectl rollout-plus start deployment/web -n shop --image app=IMAGE, " + again},
		"Recreate":            {situation: Situation{Refused: true}, cause: &cause, leaves: true, want: "kubectl set image deployment/web app=IMAGE -n shop, " + undoes + " --to-revision 3"},
	} {
		kind := cmp.Or(test.kind, "Deployment")
		f := Known(ProgressDeadlineExceeded, Object{kind, "web"}, "shop", "")
		f.Suit(test.situation)
		if test.cause != nil {
			f.Blame(test.cause)
		}
		if test.leaves {
			f.Leave(3)
			f.Leave(3)
		}
		if got := strings.Join(f.Remedy, ", "); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// A quota that asks for what the pod does not state refuses it for good.
func TestAQuotaThatRefusesForGood(t *testing.T) {
	t.Parallel()
	in := inputOf(1)
	in.ReplicaSet = &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Conditions: []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", LastTransitionTime: at(0),
		Message: `pods "a" is forbidden: failed quota: q: must specify limits.cpu for: app`,
	}}}}
	if report := Diagnose(in); summary(report) != "fatal QuotaExceeded 1" || report.Findings[0].Grace != nil {
		t.Errorf("got %s, %+v", summary(report), report.Findings[0].Grace)
	}
}

// The catalog is whole: every constant is in it once, with all that the documentation needs.
func TestCauses(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("causes.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, cause := range Causes() {
		if known[cause.ID] || cause.Meaning == "" || len(cause.Remedy) == 0 {
			t.Errorf("%s is there twice, or lacks a meaning or a remedy", cause.ID)
		}
		known[cause.ID] = true
		if cause.Class == EndsAfterGrace && cause.Grace == 0 && !slices.Contains([]string{ReadinessProbeFailed, ReadinessGateNotMet, NotReady, InitContainerRunning, RestartedByRule}, cause.ID) {
			t.Errorf("%s has no grace", cause.ID)
		}
	}
	if declared := strings.Count(string(source), ` = "`) - 3; declared != len(known) {
		t.Errorf("%d causes are declared, %d are in the catalog", declared, len(known))
	}
}
