package rollout

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// What pods do after they were ready counts against the new version, but for what their nodes do to them.
func TestRelapses(t *testing.T) {
	t.Parallel()
	rs, since := setFor("b", "web:2", 2, noon(0)), noon(0)
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(noon(1))}
	}
	pod := func(ready corev1.ConditionStatus, restarts int32, state, last corev1.ContainerState, more ...corev1.PodCondition) *corev1.Pod {
		p := podFor(rs, "p", &since)
		p.Status.Conditions = slices.Concat(more, []corev1.PodCondition{condition(corev1.PodReady, ready)})
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", RestartCount: restarts, State: state, LastTerminationState: last}}
		return p
	}
	var none corev1.ContainerState
	runs := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(0))}}
	anew := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(2))}}
	crashed, missing, rebooted := ended(1, "Error", ""), ended(137, "ContainerStatusUnknown", ""), ended(255, "Unknown", "")
	well := pod(corev1.ConditionTrue, 0, runs, none)
	intended := ended(42, "Error", "")
	ruled := func(p *corev1.Pod) *corev1.Pod {
		p.Spec.Containers = []corev1.Container{{Name: "app", RestartPolicyRules: []corev1.ContainerRestartRule{{
			Action:    corev1.ContainerRestartRuleActionRestart,
			ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42}},
		}}}}
		return p
	}
	for name, test := range map[string]struct {
		then []*corev1.Pod
		// held is what a hold says of it, follow what is said outside one.
		held, follow string
	}{
		"well":                     {[]*corev1.Pod{well}, "", ""},
		"crashed":                  {[]*corev1.Pod{pod(corev1.ConditionTrue, 1, runs, crashed)}, diagnose.RestartedAfterReady, diagnose.RestartedAfterReady},
		"not ready once":           {[]*corev1.Pod{pod(corev1.ConditionFalse, 0, runs, none)}, diagnose.ReadinessLost, ""},
		"as its rules want":        {[]*corev1.Pod{ruled(pod(corev1.ConditionFalse, 1, anew, intended)), ruled(pod(corev1.ConditionTrue, 1, anew, intended)), ruled(pod(corev1.ConditionFalse, 2, intended, intended))}, "", ""},
		"evicted":                  {[]*corev1.Pod{pod(corev1.ConditionFalse, 0, crashed, none, condition(corev1.DisruptionTarget, corev1.ConditionTrue))}, "", ""},
		"its node is silent":       {[]*corev1.Pod{pod(corev1.ConditionFalse, 0, runs, none, condition(corev1.ContainersReady, corev1.ConditionTrue))}, "", ""},
		"its node was rebooted":    {[]*corev1.Pod{pod(corev1.ConditionFalse, 0, missing, none), pod(corev1.ConditionFalse, 1, anew, rebooted), pod(corev1.ConditionTrue, 1, runs, rebooted)}, "", ""},
		"and flaps after that":     {[]*corev1.Pod{pod(corev1.ConditionTrue, 1, runs, rebooted), pod(corev1.ConditionFalse, 1, runs, rebooted)}, diagnose.ReadinessLost, ""},
		"and crashed after that":   {[]*corev1.Pod{pod(corev1.ConditionTrue, 1, runs, rebooted), pod(corev1.ConditionTrue, 2, runs, crashed)}, diagnose.RestartedAfterReady, diagnose.RestartedAfterReady},
		"rebooted again and again": {[]*corev1.Pod{pod(corev1.ConditionTrue, 1, runs, rebooted), pod(corev1.ConditionTrue, 2, runs, rebooted), pod(corev1.ConditionTrue, 3, runs, rebooted)}, "", ""},
	} {
		s := &Snapshot{Workload: &appsv1.Deployment{}, Pods: []*corev1.Pod{well}}
		m, _ := memory{restarts: map[types.UID]int32{well.UID: 0}}.follow(s.Pods, belongsTo(rs), s.podFindings(), noon(2))
		held, follow := "", ""
		for _, p := range test.then {
			s.Pods = []*corev1.Pod{p}
			var f *Finding
			if m, f = m.follow(s.Pods, belongsTo(rs), s.podFindings(), noon(2)); f != nil {
				follow = f.ID
			}
			if f := m.lost(s.Pods, s.podFindings(), noon(2)); f != nil {
				held = f.ID
			}
		}
		if held != test.held || follow != test.follow {
			t.Errorf("%s: a hold says %q, want %q; else %q, want %q", name, held, test.held, follow, test.follow)
		}
	}
}

// What happens in a long hold, such as a node that falls silent, has the Deployment's own deadline from then on.
func TestWhatHappensInALongHold(t *testing.T) {
	for name, test := range map[string]struct {
		// silence is how long a node is, before its pod is replaced.
		silence time.Duration
		scaled  bool
		want    Outcome
	}{
		"a node is silent":          {5 * time.Minute, false, Done},
		"a node is silent for good": {time.Hour, false, RolledBack},
		"scaled":                    {0, true, Done},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				options := inSteps
				options.Hold = 15 * time.Minute
				b.onStep(1, func() {
					time.AfterFunc(11*time.Minute, func() {
						b.change(func() {
							if test.scaled {
								b.scale(6)
								return
							}
							pod := b.pods[len(b.pods)-1].DeepCopy()
							b.stuck = map[types.UID]bool{pod.UID: true}
							since := metav1.NewTime(b.now.Truncate(time.Second))
							pod.Status.Conditions = []corev1.PodCondition{
								{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: since},
								{Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
							}
							b.storePod(pod.UID, pod)
							time.AfterFunc(test.silence, func() { b.change(func() { b.storePod(pod.UID, nil) }) })
						})
					})
				})
				result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
				if err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, result, test.want, "")
				if f := result.Finding; f != nil && f.ID != diagnose.ProgressDeadlineExceeded {
					t.Errorf("finding %s", f)
				}
			})
		})
	}
}

// A container that has ended once is watched for a minute at most, however far ahead its node's clock is.
func TestSettlingIsBounded(t *testing.T) {
	t.Parallel()
	rs, since := setFor("b", "web:2", 2, noon(0)), noon(0)
	pod := podFor(rs, "p", &since)
	restarted := func(count int32, started time.Time) {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "app", RestartCount: count, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(started)}},
			LastTerminationState: ended(1, "Error", ""),
		}}
	}
	s := &Snapshot{Workload: &appsv1.Deployment{}, Pods: []*corev1.Pod{pod}}
	var m memory
	var until time.Time
	restarted(1, noon(600))
	for look := range 3 {
		if m, until = m.settling(s, rs, noon(20*look)); !until.Equal(noon(60)) {
			t.Errorf("until %s", until)
		}
	}
	restarted(2, noon(700))
	if m, until = m.settling(s, rs, noon(50)); !until.Equal(noon(110)) {
		t.Errorf("after another end until %s", until)
	}
	restarted(3, noon(60))
	if _, until = m.settling(s, rs, noon(61)); !until.Equal(noon(70)) {
		t.Errorf("where the clocks agree until %s", until)
	}
}

// A sidecar is among the init containers, and runs on beside the others.
func TestSidecarsSettle(t *testing.T) {
	t.Parallel()
	rs, since := setFor("b", "web:2", 2, noon(0)), noon(0)
	pod := podFor(rs, "p", &since)
	pod.Status.InitContainerStatuses = []corev1.ContainerStatus{
		{Name: "migrate", RestartCount: 1, State: ended(0, "Completed", ""), LastTerminationState: ended(1, "Error", "")},
		{
			Name: "proxy", RestartCount: 1, LastTerminationState: ended(1, "Error", ""),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(20))}},
		},
	}
	if until := settled([]*corev1.Pod{pod}); !until.Equal(noon(30)) {
		t.Errorf("until %s", until)
	}
}

// So it is with StatefulSets and DaemonSets, also when they are complete and success is held back.
func TestRelapsesOfSets(t *testing.T) {
	t.Parallel()
	ordered := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{UID: "s"}, Status: appsv1.StatefulSetStatus{UpdateRevision: "new"}}
	everywhere := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{UID: "d", Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: "2"}}}
	for _, w := range []workload.Object{ordered, everywhere} {
		pod := func(hash, generation string, ready corev1.ConditionStatus, restarts int32) *corev1.Pod {
			p := owned(w, "p", hash, generation, "")
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}
			status := corev1.ContainerStatus{Name: "app", RestartCount: restarts, Ready: ready == corev1.ConditionTrue}
			if status.State.Running = (&corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon(int(restarts)))}); restarts > 0 {
				status.LastTerminationState = ended(1, "Error", "")
			}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{status}
			return p
		}
		ready, lost := pod("new", "2", corev1.ConditionTrue, 0), pod("new", "2", corev1.ConditionFalse, 0)
		for name, test := range map[string]struct {
			then []*corev1.Pod
			want string
		}{
			"well":                   {[]*corev1.Pod{ready}, ""},
			"crashed":                {[]*corev1.Pod{ready, pod("new", "2", corev1.ConditionFalse, 1)}, diagnose.RestartedAfterReady},
			"crashed, and ready":     {[]*corev1.Pod{ready, pod("new", "2", corev1.ConditionTrue, 1)}, diagnose.RestartedAfterReady},
			"peers are replaced":     {[]*corev1.Pod{ready, lost, ready, lost, ready, lost}, ""},
			"of an earlier revision": {[]*corev1.Pod{pod("old", "1", corev1.ConditionTrue, 0), pod("old", "1", corev1.ConditionTrue, 1)}, ""},
		} {
			for phase, look := range map[workload.Phase]func(*session, *View, []*corev1.Pod) time.Time{workload.Progressing: (*session).judgePods, workload.Complete: (*session).believe} {
				s, view := fixedSession(), &View{}
				for _, p := range test.then {
					if view.Finding != nil {
						t.Errorf("%s: %s too early", name, view.Finding)
					}
					view = &View{Workload: w, Phase: phase}
					look(s, view, []*corev1.Pod{p})
				}
				if got := view.Finding; (got == nil) != (test.want == "") || got != nil && got.ID != test.want {
					t.Errorf("%s %s, %s: %v, want %q", phase, workload.KindOf(w), name, got, test.want)
				}
			}
		}
	}
}
