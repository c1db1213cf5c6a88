package rollout

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
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
	often := corev1.ContainerStatus{Name: "app", RestartCount: 2, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(0).AddDate(0, 0, -100))}}}
	often.LastTerminationState = ended(1, "Error", "")
	often.LastTerminationState.Terminated.StartedAt = metav1.NewTime(noon(0).AddDate(0, 0, -100).Add(-time.Minute))
	often.LastTerminationState.Terminated.FinishedAt = metav1.NewTime(noon(0).AddDate(0, 0, -100))
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		want   string
	}{
		"creating":   {waits("ContainerCreating", ""), ""},
		"crash":      {crash, "pod p, container app: OOMKilled (CrashLoopBackOff): the container was killed because it took more memory than its limit (exit code 137)"},
		"image name": {waits("InvalidImageName", ""), "pod p, container app: InvalidImageName"},
		// A state that is given time counts once that is over.
		"image":                               {waits("ImagePullBackOff", "registry is slow"), "pod p, container app: ImagePullFailed (ImagePullBackOff): registry is slow"},
		"image, just now":                     {waits("ImagePullBackOff", "registry is slow"), ""},
		"not ready":                           {corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(0))}}}, ""},
		"often restarted, not ready just now": {often, ""},
	} {
		pod := podFor(setFor("a", "web:1", 1, noon(0)), "p", nil)
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "StatefulSet", Name: "db", Controller: ptr.To(true)}}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(noon(1))}}
		now := noon(0).Add(10 * time.Minute)
		if strings.HasSuffix(name, "just now") {
			now = noon(1).Add(5 * time.Second)
		}
		pod.Spec.NodeName, pod.Status.ContainerStatuses = "n", []corev1.ContainerStatus{test.status}
		got := ""
		if finding, _ := podFailure(pod, now); finding != nil {
			got = finding.String()
			if remedy := strings.Join(finding.Remedy, "; "); !strings.Contains(remedy, " statefulset/db ") && !strings.Contains(remedy, " p ") {
				t.Errorf("%s: remedy %q", name, remedy)
			}
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestStalled(t *testing.T) {
	t.Parallel()
	current := setFor("b", "web:2", 2, noon(1))
	ready := noon(0)
	pending := podFor(current, "pending", nil)
	pending.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}
	pulling := podFor(current, "pulling", nil)
	pulling.Spec.NodeName = "n"
	pulling.Status.ContainerStatuses = []corev1.ContainerStatus{waits("ErrImagePull", "registry is slow")}
	unready := podFor(current, "unready", nil)
	unready.Spec.NodeName = "n"
	unready.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	gone := podFor(current, "gone", nil)
	gone.Spec.NodeName = "n"
	gone.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: ended(3, "Error", "")}}
	quota := &appsv1.ReplicaSetCondition{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota"}
	for name, test := range map[string]struct {
		pods      []*corev1.Pod
		condition *appsv1.ReplicaSetCondition
		behind    bool
		want      string
	}{
		"not scheduled":   {[]*corev1.Pod{pending}, nil, false, "pod pending: ProgressDeadlineExceeded: no new pod became ready for 60 s (progressDeadlineSeconds); Unschedulable: 0/3 nodes are available"},
		"pulling":         {[]*corev1.Pod{podFor(current, "fine", &ready), pulling}, nil, false, "container app: ProgressDeadlineExceeded: no new pod became ready for 60 s (progressDeadlineSeconds); ImagePullFailed: registry is slow"},
		"not ready":       {[]*corev1.Pod{unready}, nil, false, "the container runs and is not ready"},
		"ended":           {[]*corev1.Pod{gone}, nil, false, "the container ended (exit code 3)"},
		"no quota":        {nil, quota, false, "ProgressDeadlineExceeded: no new pod became ready for 60 s (progressDeadlineSeconds); QuotaExceeded: exceeded quota"},
		"controller away": {[]*corev1.Pod{pending}, nil, true, "and the Deployment controller has not acted on the last change"},
	} {
		d, refused := &appsv1.Deployment{}, current.DeepCopy()
		if test.condition != nil {
			refused.Status.Conditions = []appsv1.ReplicaSetCondition{*test.condition}
		}
		if test.behind {
			d.Generation = 1
		}
		got := (&Snapshot{Workload: d, Pods: test.pods}).stalled(refused, 60).String()
		if !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Of several containers that have restarted in their life the one is blamed that ended last.
func TestWhoRestarted(t *testing.T) {
	t.Parallel()
	restarted := func(name string, at int) corev1.ContainerStatus {
		status := corev1.ContainerStatus{Name: name, RestartCount: 1, LastTerminationState: ended(1, "Error", "")}
		status.LastTerminationState.Terminated.FinishedAt = metav1.NewTime(noon(at))
		return status
	}
	down := corev1.ContainerStatus{Name: "down", State: ended(0, "Completed", "")}
	down.State.Terminated.FinishedAt = metav1.NewTime(noon(3))
	never := corev1.ContainerStatus{Name: "never"}
	pod := podFor(setFor("a", "web:1", 1, noon(0)), "p", nil)
	for want, statuses := range map[string][]corev1.ContainerStatus{
		"second": {restarted("first", 1), never, restarted("second", 2)},
		"first":  {restarted("first", 2), restarted("second", 1)},
		"down":   {restarted("first", 2), down},
		"":       {never},
	} {
		pod.Status.ContainerStatuses = statuses
		if got := (podFindings{}).restarted(pod); got.Container != want {
			t.Errorf("got %q, want %q", got.Container, want)
		}
	}
}
