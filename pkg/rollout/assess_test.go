package rollout

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func waits(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func ended(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}}
}

func TestPodFailure(t *testing.T) {
	t.Parallel()
	crash := waits("CrashLoopBackOff", "back-off 10s restarting")
	crash.RestartCount, crash.LastTerminationState = 2, ended(137, "OOMKilled", "")
	said := waits("CrashLoopBackOff", "")
	said.LastTerminationState = ended(1, "Error", "no\n database")
	sidecar := waits("CreateContainerConfigError", `secret "s" not found`)
	sidecar.Name = "sidecar"
	for name, test := range map[string]struct {
		init, containers []corev1.ContainerStatus
		want             string
	}{
		"none":             {nil, nil, ""},
		"creating":         {nil, []corev1.ContainerStatus{waits("ContainerCreating", "")}, ""},
		"pulling again":    {nil, []corev1.ContainerStatus{waits("ErrImagePull", "registry is slow")}, ""},
		"image":            {nil, []corev1.ContainerStatus{waits("ImagePullBackOff", "no such image")}, "pod p, container app: ImagePullBackOff: no such image"},
		"image name":       {nil, []corev1.ContainerStatus{waits("InvalidImageName", "")}, "pod p, container app: InvalidImageName"},
		"never pull":       {nil, []corev1.ContainerStatus{waits("ErrImageNeverPull", "")}, "pod p, container app: ErrImageNeverPull"},
		"start":            {nil, []corev1.ContainerStatus{waits("RunContainerError", "no such file")}, "pod p, container app: RunContainerError: no such file"},
		"crash":            {nil, []corev1.ContainerStatus{crash}, "pod p, container app: CrashLoopBackOff: OOMKilled: back-off 10s restarting (exit code 137)"},
		"crash with words": {nil, []corev1.ContainerStatus{said}, "pod p, container app: CrashLoopBackOff: : no database (exit code 1)"},
		"second container": {nil, []corev1.ContainerStatus{{Name: "app"}, sidecar}, `pod p, container sidecar: CreateContainerConfigError: secret "s" not found`},
		"not fetched yet":  {nil, []corev1.ContainerStatus{waits("CreateContainerConfigError", "failed to sync configmap cache: timed out")}, ""},
		"init container":   {[]corev1.ContainerStatus{waits("CrashLoopBackOff", "")}, []corev1.ContainerStatus{waits("PodInitializing", "")}, "pod p, container app: CrashLoopBackOff"},
		"unknown reason":   {nil, []corev1.ContainerStatus{waits("Meditating", "")}, ""},
	} {
		pod := podFor(setFor("a", "web:1", 1, noon(0)), "p", nil)
		pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses = test.init, test.containers
		got := ""
		if finding := podFailure(pod); finding != nil {
			got = finding.String()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestLogsAreOfTheRunThatEnded(t *testing.T) {
	t.Parallel()
	running := corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	crashed := waits("CrashLoopBackOff", "")
	crashed.RestartCount, crashed.LastTerminationState = 1, ended(1, "Error", "")
	for name, test := range map[string]struct {
		status            corev1.ContainerStatus
		restarted, hasLog bool
	}{
		"never ran":         {waits("ImagePullBackOff", ""), false, false},
		"runs":              {running, false, true},
		"ran before":        {crashed, true, true},
		"has just ended":    {corev1.ContainerStatus{State: ended(1, "Error", "")}, false, true},
		"ended once more":   {corev1.ContainerStatus{RestartCount: 3, State: ended(1, "Error", "")}, false, true},
		"waits to be begun": {waits("PodInitializing", ""), false, false},
	} {
		finding := &Finding{}
		finding.addLastRun(&test.status)
		if finding.restarted != test.restarted || finding.hasLogs != test.hasLog {
			t.Errorf("%s: previous run %v, logs %v", name, finding.restarted, finding.hasLogs)
		}
	}
}

func TestFailureIsTheOneOfMostPods(t *testing.T) {
	t.Parallel()
	old, current := setFor("a", "web:1", 1, noon(0)), setFor("b", "web:2", 2, noon(1))
	pod := func(rs *appsv1.ReplicaSet, name string, status corev1.ContainerStatus) *corev1.Pod {
		p := podFor(rs, name, nil)
		p.Status.ContainerStatuses = []corev1.ContainerStatus{status}
		return p
	}
	pull, crash := waits("ImagePullBackOff", ""), waits("CrashLoopBackOff", "")
	s := &Snapshot{Deployment: &appsv1.Deployment{}, Pods: []*corev1.Pod{
		pod(old, "o1", crash), pod(old, "o2", crash), pod(old, "o3", crash),
		pod(current, "n1", crash), pod(current, "n2", pull), pod(current, "n3", pull),
	}}
	finding := s.failure(current)
	if finding == nil || finding.Reason != "ImagePullBackOff" || finding.Pods != 2 || finding.Pod != "n2" {
		t.Errorf("got %+v", finding)
	}
	if got := finding.String(); got != "pod n2, container app: ImagePullBackOff (2 pods alike)" {
		t.Errorf("got %q", got)
	}
	if finding := s.failure(nil); finding != nil {
		t.Errorf("without a new ReplicaSet nothing fails: %+v", finding)
	}
}

func TestStalled(t *testing.T) {
	t.Parallel()
	current := setFor("b", "web:2", 2, noon(1))
	ready := noon(0)
	pending := podFor(current, "pending", nil)
	pending.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}
	pulling := podFor(current, "pulling", nil)
	pulling.Status.ContainerStatuses = []corev1.ContainerStatus{waits("ErrImagePull", "registry is slow")}
	unready := podFor(current, "unready", nil)
	unready.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	gone := podFor(current, "gone", nil)
	gone.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: ended(3, "Error", "")}}
	quota := &appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota"}
	for name, test := range map[string]struct {
		pods      []*corev1.Pod
		condition *appsv1.DeploymentCondition
		behind    bool
		want      string
	}{
		"not scheduled":   {[]*corev1.Pod{pending}, nil, false, "pod pending: ProgressDeadlineExceeded: no new pod became ready for 60 s (progressDeadlineSeconds); Unschedulable: 0/3 nodes are available"},
		"pulling":         {[]*corev1.Pod{podFor(current, "fine", &ready), pulling, pending}, nil, false, "pod pulling, container app: ProgressDeadlineExceeded: no new pod became ready for 60 s (progressDeadlineSeconds); ErrImagePull: registry is slow (2 pods alike)"},
		"not ready":       {[]*corev1.Pod{unready}, nil, false, "the container runs and is not ready"},
		"ended":           {[]*corev1.Pod{gone}, nil, false, "the container has ended (exit code 3)"},
		"no quota":        {nil, quota, false, "ProgressDeadlineExceeded: no new pod became ready for 60 s (progressDeadlineSeconds); FailedCreate: exceeded quota"},
		"controller away": {[]*corev1.Pod{pending}, nil, true, "and the Deployment controller has not acted on the last change"},
	} {
		d := &appsv1.Deployment{}
		if test.condition != nil {
			d.Status.Conditions = []appsv1.DeploymentCondition{*test.condition}
		}
		if test.behind {
			d.Generation = 1
		}
		got := (&Snapshot{Deployment: d, Pods: test.pods}).stalled(current, 60).String()
		if !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
