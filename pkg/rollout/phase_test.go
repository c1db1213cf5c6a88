package rollout

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// owned is a pod of a StatefulSet or DaemonSet, crashing where it has a reason.
func owned(by workload.Object, name, hash, generation, reason string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID(name), Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: hash, workload.TemplateGeneration: generation},
		OwnerReferences: []metav1.OwnerReference{{UID: by.GetUID(), Controller: ptr.To(true)}},
	}}
	if reason != "" {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{waits(reason, "")}
	}
	return pod
}

// fixedSession is one that only judges.
func fixedSession() *session {
	return &session{Engine: &Engine{Clock: clocktesting.NewFakeClock(noon(2))}}
}

func TestPodsThatFail(t *testing.T) {
	t.Parallel()
	ordered := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{UID: "s"}, Status: appsv1.StatefulSetStatus{UpdateRevision: "new"}}
	daemon := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{UID: "d", Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: "3"}}}
	other := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{UID: "x"}}
	const crash = "CrashLoopBackOff"
	gone := owned(ordered, "gone", "new", "", crash)
	gone.DeletionTimestamp = ptr.To(metav1.NewTime(noon(0)))
	for name, test := range map[string]struct {
		workload workload.Object
		pods     []*corev1.Pod
		pod      string
	}{
		"all well":                    {workload: ordered, pods: []*corev1.Pod{owned(ordered, "a", "new", "", "")}},
		"a new one":                   {workload: ordered, pods: []*corev1.Pod{owned(ordered, "a", "old", "", ""), owned(ordered, "b", "new", "", crash)}, pod: "b"},
		"one that is going":           {workload: ordered, pods: []*corev1.Pod{gone}},
		"one of another's":            {workload: ordered, pods: []*corev1.Pod{owned(other, "a", "new", "", crash)}},
		"an old one":                  {workload: ordered, pods: []*corev1.Pod{owned(ordered, "a", "old", "", crash)}},
		"a new one of a DaemonSet":    {workload: daemon, pods: []*corev1.Pod{owned(daemon, "a", "h2", "3", crash)}, pod: "a"},
		"an old one of a DaemonSet":   {workload: daemon, pods: []*corev1.Pod{owned(daemon, "a", "h1", "2", crash), owned(daemon, "b", "h2", "3", "")}},
		"one from before a rollback":  {workload: daemon, pods: []*corev1.Pod{owned(daemon, "a", "h1", "1", crash), owned(daemon, "b", "h1", "3", "")}, pod: "a"},
		"the newest are not made yet": {workload: daemon, pods: []*corev1.Pod{owned(daemon, "a", "h1", "2", crash)}},
	} {
		view := &View{Workload: test.workload, Phase: workload.Progressing}
		fixedSession().judgePods(view, test.pods)
		pod := ""
		if view.Finding != nil {
			pod = view.Finding.Pod
		}
		if pod != test.pod || (pod != "") != (view.Outcome == Failed) {
			t.Errorf("%s: got pod %q, outcome %q", name, pod, view.Outcome)
		}
	}
}

func TestJudgingANativeRollout(t *testing.T) {
	t.Parallel()
	old, current := setFor("a", "web:1", 1, noon(0)), setFor("b", "web:2", 2, noon(1))
	empty := old.DeepCopy()
	empty.Spec.Replicas = ptr.To[int32](0)
	crashing := podFor(current, "p", nil)
	crashing.Status.ContainerStatuses = []corev1.ContainerStatus{waits("CrashLoopBackOff", "")}
	for name, test := range map[string]struct {
		phase   workload.Phase
		sets    []*appsv1.ReplicaSet
		pods    []*corev1.Pod
		want    workload.Phase
		finding string
	}{
		"under way":             {workload.Progressing, []*appsv1.ReplicaSet{old, current}, nil, workload.Progressing, ""},
		"crashing":              {workload.Progressing, []*appsv1.ReplicaSet{old, current}, []*corev1.Pod{crashing}, workload.PhaseFailed, "CrashLoopBackOff"},
		"complete, and crashes": {workload.Complete, []*appsv1.ReplicaSet{current}, []*corev1.Pod{crashing}, workload.Complete, ""},
		"not begun":             {workload.Progressing, []*appsv1.ReplicaSet{old}, nil, workload.Progressing, ""},
		"paused":                {workload.PhasePaused, []*appsv1.ReplicaSet{old, current}, nil, workload.PhasePaused, ""},
		"paused before":         {workload.PhasePaused, []*appsv1.ReplicaSet{old}, nil, workload.PhasePaused, ""},
		"paused and scaled":     {workload.PhasePaused, []*appsv1.ReplicaSet{empty, current}, nil, workload.Progressing, ""},
		"past its deadline":     {workload.PhaseFailed, []*appsv1.ReplicaSet{old, current}, nil, workload.PhaseFailed, "ProgressDeadlineExceeded"},
		"late and crashing":     {workload.PhaseFailed, []*appsv1.ReplicaSet{old, current}, []*corev1.Pod{crashing}, workload.PhaseFailed, "CrashLoopBackOff"},
	} {
		d := &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{workload.RevisionAnnotation: "2"}},
			Spec:       appsv1.DeploymentSpec{Template: templateFor("web:2", ""), ProgressDeadlineSeconds: ptr.To[int32](60)},
		}
		view := &View{Workload: d, Phase: test.phase}
		fixedSession().judge(view, &Snapshot{Workload: d, ReplicaSets: test.sets, Pods: test.pods})
		finding := ""
		if view.Finding != nil {
			finding = view.Finding.Reason
		}
		if view.Phase != test.want || finding != test.finding {
			t.Errorf("%s: got %s, %q", name, view.Phase, finding)
		}
	}
}

// The last old pod, which took 100 s to become ready, may be gone before a new one has had as much time.
func TestTheReadinessGraceOutlivesThePodsThatProveIt(t *testing.T) {
	t.Parallel()
	old, current := setFor("a", "web:1", 1, noon(0)), setFor("b", "web:2", 2, noon(0))
	running := []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(0))}}}}
	ready, slow := podFor(old, "o", ptr.To(noon(100))), podFor(current, "n", nil)
	slow.Spec.NodeName, slow.Spec.Containers = "n", []corev1.Container{{Name: "app", ReadinessProbe: &corev1.Probe{}}}
	ready.Status.ContainerStatuses, slow.Status.ContainerStatuses = running, running
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: templateFor("web:2", "")}}
	var m memory
	var finding *Finding
	for _, look := range []struct {
		second int
		pods   []*corev1.Pod
		want   string
	}{
		{1, []*corev1.Pod{ready, slow}, ""},
		{61, []*corev1.Pod{slow}, ""},
		{199, []*corev1.Pod{slow}, ""},
		{200, []*corev1.Pod{slow}, "twice the 1m40s that a pod took before"},
	} {
		snapshot := &Snapshot{Workload: d, ReplicaSets: []*appsv1.ReplicaSet{old, current}, Pods: look.pods}
		m, finding = m.enter(snapshot.StaleSince, look.second, noon(look.second)).failure(snapshot, ptr.To[int32](600), noon(look.second))
		if (finding != nil) != (look.want != "") || finding != nil && !strings.Contains(finding.Message, look.want) {
			t.Errorf("after %d s: got %v", look.second, finding)
		}
	}
}

// A StatefulSet or DaemonSet that is complete may be a crash loop between two crashes.
func TestSetsSettleToo(t *testing.T) {
	t.Parallel()
	ordered := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{UID: "s"}, Status: appsv1.StatefulSetStatus{UpdateRevision: "new"}}
	status := corev1.ContainerStatus{
		Name: "app", RestartCount: 1, Ready: true, LastTerminationState: ended(1, "Error", ""),
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(0))}},
	}
	last := status.LastTerminationState.Terminated
	last.StartedAt, last.FinishedAt = metav1.NewTime(noon(-16)), metav1.NewTime(noon(-1))
	pod, well := owned(ordered, "db-0", "new", "", ""), owned(ordered, "db-1", "new", "", "")
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	for name, test := range map[string]struct {
		second int
		pods   []*corev1.Pod
		want   bool
	}{
		"ran for long enough before": {30, []*corev1.Pod{pod, well}, false},
		"may end again":              {29, []*corev1.Pod{pod, well}, true},
		"none has ended":             {29, []*corev1.Pod{well}, false},
	} {
		s, view := fixedSession(), &View{Workload: ordered, Phase: workload.Complete}
		s.Clock = clocktesting.NewFakeClock(noon(test.second))
		if until := s.believe(view, test.pods); view.Settling != test.want || test.want && !until.Equal(noon(30)) {
			t.Errorf("%s: settling %v until %s", name, view.Settling, until)
		}
	}
}

// What keeps the old version from coming back is told at once, though nothing but the deadline ends the way back.
func TestWhatHoldsTheWayBackUpIsTold(t *testing.T) {
	t.Parallel()
	current := setFor("a", "web:1", 1, noon(0))
	current.Status.Conditions = []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", LastTransitionTime: metav1.NewTime(noon(1)),
		Message: `pods "a-1" is forbidden: maximum memory usage per Pod is 1Gi. No limit is specified`,
	}}
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: templateFor("web:1", "")}}
	var told []*Finding
	s := fixedSession()
	s.Emit = func(_ time.Time, event Event) { told = append(told, event.(FindingEvent).Finding) }
	s.phase, s.outcome = ending, RolledBack
	for second := range 3 {
		snapshot := &Snapshot{Workload: d, ReplicaSets: []*appsv1.ReplicaSet{current}}
		var next action
		next, s.memory = decideEnd(snapshot, Idle, RolledBack, ptr.To[int32](600), s.memory, noon(second))
		if _, waits := next.(await); !waits {
			t.Errorf("got %+v", next)
		}
		s.warn(snapshot.report)
		s.tellWarnings(t.Context())
	}
	if len(told) != 1 || told[0].ID != "LimitRangeViolated" || told[0].Severity != diagnose.Warning {
		t.Errorf("told %v", told)
	}
}
