package diagnose

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// endedPod is a pod that has ended.
func endedPod(name string, created int, reason, message string, statuses ...corev1.ContainerStatus) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: at(created)},
		Spec:       corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "app"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: message, ContainerStatuses: statuses},
	}
}

// each makes pods that ended alike, one every so many seconds.
func each(count, seconds int, make func(name string, created int) *corev1.Pod) []*corev1.Pod {
	pods := []*corev1.Pod{}
	for i := range count {
		pods = append(pods, make(fmt.Sprint("p", i), i*seconds))
	}
	return pods
}

// Pods that end again and again, and are replaced, are a failure soon; what is chance, or other pods' room, is not.
func TestPodsThatAreReplacedWithoutEnd(t *testing.T) {
	t.Parallel()
	const cpu = "Pod was rejected: Node didn't have enough resource: cpu, requested: 1800, used: 700, capacity: 2000"
	rejected := func(reason string) func(string, int) *corev1.Pod {
		return func(name string, created int) *corev1.Pod { return endedPod(name, created, reason, cpu) }
	}
	byItself := func(name string, created int) *corev1.Pod {
		return endedPod(name, created, "", "", corev1.ContainerStatus{Name: "app", State: ended(3, "Error", created, created+1)})
	}
	limit := func(name string, created int) *corev1.Pod {
		return endedPod(name, created, "Evicted", `Usage of EmptyDir volume "cache" exceeds the limit "10Mi".`)
	}
	evicted := func(name string, created int) *corev1.Pod {
		return endedPod(name, created, "Evicted", "The node was low on resource: memory.", corev1.ContainerStatus{Name: "app", State: ended(137, "Error", created, created+1)})
	}
	well := podWith("well", runs(0))
	well.Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at(15)}
	for name, c := range map[string]struct {
		pods []*corev1.Pod
		now  int
		want string
		says string
	}{
		"OutOfcpu":                      {each(100, 0, rejected("OutOfcpu")), 5, "warning PodRejected", "; 100 pods have ended so in 5s, on node n"},
		"for long enough":               {each(60, 1, rejected("OutOfcpu")), 25, "fatal PodRejected", cpu + "; 60 pods"},
		"a DaemonSet backs off":         {each(3, 12, rejected("NodeAffinity")), 40, "fatal PodRejected", "; 3 pods have ended so in 40s"},
		"UnexpectedAdmissionError":      {each(25, 1, rejected("UnexpectedAdmissionError")), 25, "fatal PodRejected", ""},
		"twice is chance":               {each(2, 20, rejected("OutOfcpu")), 30, "warning PodFailed", ""},
		"it has passed":                 {each(10, 1, rejected("OutOfcpu")), 30, "warning PodFailed", ""},
		"a pod has become ready since":  {append(each(14, 1, rejected("OutOfcpu")), well), 25, "warning PodFailed", ""},
		"they end by themselves":        {each(25, 1, byItself), 25, "fatal PodEndsAgain", "container app ended after 1s; 25 pods"},
		"evicted for their own limit":   {each(25, 1, limit), 25, "fatal PodEndsAgain", "exceeds the limit"},
		"evicted for the node's memory": {each(25, 1, evicted), 25, "warning PodEvicted", ""},
		"three evicted":                 {each(3, 10, evicted), 25, "warning PodEvicted", ""},
	} {
		report := Diagnose(inputOf(c.now, c.pods...))
		f := &report.Findings[0]
		if got := fmt.Sprintf("%s %s", f.Severity, f.ID); got != c.want || !strings.Contains(f.String(), c.says) {
			t.Errorf("%s: got %s: %s, want %s with %q", name, got, f, c.want, c.says)
		}
	}
}

// A StatefulSet's pod that was rejected is deleted at once: who follows has seen it, and others know by the events of its name.
func TestRejectedPodsThatAreGone(t *testing.T) {
	t.Parallel()
	var report Report
	for second := range 25 {
		in := inputOf(second, endedPod(fmt.Sprint("web-0 no. ", second), second, "OutOfmemory", "Pod was rejected: no room"))
		in.Pods[0].DeletionTimestamp = &metav1.Time{Time: at(second).Time}
		in.Replaced, in.Seen = report.Replaced, report.Seen
		report = Diagnose(in)
	}
	if f := report.Fatal(); f == nil || f.ID != PodRejected || !strings.Contains(f.Message, "Pod was rejected: no room; 25 pods have ended so in 24s") {
		t.Errorf("who follows says %s", summary(report))
	}
	in := inputOf(25)
	for second := range 25 {
		in.Events = append(in.Events, &corev1.Event{
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "web-0", UID: types.UID(fmt.Sprint(second))},
			Reason:         "OutOfmemory", Message: "no room", FirstTimestamp: at(second), LastTimestamp: at(second),
		})
	}
	report = Diagnose(in)
	if f := report.Fatal(); f == nil || f.ID != PodRejected || f.Pods != 25 {
		t.Errorf("who looks once says %s", summary(report))
	}
}

// What cannot be deleted, and what ends on silent nodes or is held by finalizers, is named at once.
func TestOldPodsThatStay(t *testing.T) {
	t.Parallel()
	quiet := func(name, node string, deleted bool) *corev1.Pod {
		pod := podWith(name, runs(0))
		pod.Spec.NodeName = node
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue})
		if deleted {
			pod.DeletionTimestamp = &metav1.Time{Time: at(100).Time}
		}
		return pod
	}
	held := podWith("held", corev1.ContainerStatus{State: ended(0, "Completed", 0, 90)})
	held.DeletionTimestamp, held.Finalizers = &metav1.Time{Time: at(120).Time}, []string{"example.com/keep"}
	slow := podWith("slow", runs(0))
	slow.DeletionTimestamp, slow.Spec.NodeName = &metav1.Time{Time: at(60).Time}, "c"
	old := podWith("old", runs(0))
	refusedBy := func(reason string, when int) *corev1.Event {
		return &corev1.Event{
			InvolvedObject: corev1.ObjectReference{UID: "set"}, Reason: reason, Message: `admission webhook "keep" denied the request`,
			FirstTimestamp: at(when), LastTimestamp: at(when),
		}
	}
	for name, c := range map[string]struct {
		others []*corev1.Pod
		events []*corev1.Event
		want   string
		says   string
		// isDeployment tells that a Deployment's pods are meant.
		isDeployment bool
	}{
		"silent nodes":               {[]*corev1.Pod{quiet("p", "b", false), quiet("q", "a", true)}, nil, "warning NodeNotReady 2", "nodes a, b do not report", false},
		"finalizers":                 {[]*corev1.Pod{held}, nil, "warning StuckTerminating 1", "example.com/keep", false},
		"a node takes long":          {[]*corev1.Pod{slow}, nil, "warning StuckTerminating 1", "node c has not ended it", false},
		"they cannot be deleted":     {[]*corev1.Pod{old}, []*corev1.Event{refusedBy("FailedDelete", 50)}, "fatal FailedDelete 1", "denied the request", false},
		"just now":                   {[]*corev1.Pod{old}, []*corev1.Event{refusedBy("FailedDelete", 95)}, "warning FailedDelete 1", "", false},
		"one was deleted since":      {[]*corev1.Pod{old}, []*corev1.Event{refusedBy("FailedDelete", 50), refusedBy("SuccessfulDelete", 60)}, "", "", false},
		"none of them is left":       {nil, []*corev1.Event{refusedBy("FailedDelete", 50)}, "", "", false},
		"old pods serve for now":     {[]*corev1.Pod{old}, nil, "", "", false},
		"another one ends meanwhile": {[]*corev1.Pod{old, slow}, []*corev1.Event{refusedBy("FailedDelete", 50)}, "warning StuckTerminating 1", "", false},
		"a Deployment's silent node": {[]*corev1.Pod{quiet("p", "b", false)}, nil, "warning NodeNotReady 1", "node b does not report", true},
	} {
		in := inputOf(100)
		in.Workload, in.UID, in.Others, in.Events = Object{"StatefulSet", "web"}, "set", c.others, c.events
		if c.isDeployment {
			in.Deployment = &appsv1.Deployment{}
		}
		report := Diagnose(in)
		if got := summary(report); got != c.want || c.says != "" && !strings.Contains(report.Findings[0].String(), c.says) {
			t.Errorf("%s: got %s %+v, want %s with %q", name, got, report.Findings, c.want, c.says)
		}
	}
}

// Next is the node or the finalizers, whichever keeps a pod from ending.
func TestWhoKeepsAPodFromEnding(t *testing.T) {
	t.Parallel()
	for want, finalizers := range map[string][]string{
		"kubectl describe node c": nil, "kubectl get pod slow -n shop -o jsonpath={.metadata.finalizers}": {"example.com/keep"},
	} {
		slow := podWith("slow", runs(0))
		slow.DeletionTimestamp, slow.Spec.NodeName, slow.Finalizers = &metav1.Time{Time: at(60).Time}, "c", finalizers
		in := inputOf(100)
		in.Others = []*corev1.Pod{slow}
		if report := Diagnose(in); len(report.Findings) != 1 || report.Findings[0].Remedy[0] != want {
			t.Errorf("got %+v, want %s", report.Findings, want)
		}
	}
}
