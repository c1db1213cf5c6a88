package rollout

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// Pods that do not become ready are told of within seconds, and again every 10 s with the time that is left.
func TestSlowPodsAreToldOfAgainAndAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		began := time.Now()
		b.change(func() {
			b.shape = func(pod *corev1.Pod) {
				pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(b.now)}}
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
					Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(b.now.Truncate(time.Second))}},
				}}
				b.stuck = map[types.UID]bool{pod.UID: true}
			}
		})
		var told []time.Duration
		b.seen = func(event Event) {
			if f, is := event.(FindingEvent); is && f.Finding.Severity == diagnose.Warning {
				if f.Again != (len(told) > 0) || f.Finding.Grace == nil || f.Finding.Grace.Left <= 0 {
					t.Errorf("told %+v", f)
				}
				told = append(told, time.Since(began).Round(time.Second))
			}
		}
		wantOutcome(t, b.start(t.Context(), t), RolledBack, "")
		if len(told) < 5 || told[0] > 5*time.Second || told[1]-told[0] != warnAgain {
			t.Errorf("told after %v", told)
		}
	})
}

// The time during which a step is held counts, however often others scale in the middle of it.
func TestAHoldEndsThoughReplicasSwing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		began := time.Now()
		swings := time.NewTicker(20 * time.Second)
		defer swings.Stop()
		done := make(chan struct{})
		defer close(done)
		go func() {
			for n := int32(0); ; n++ {
				select {
				case <-done:
					return
				case <-swings.C:
					b.change(func() { b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Replicas = new(8 + 4*(n%2)) }) })
				}
			}
		}()
		options := inSteps
		options.Steps, options.Hold = plan.Steps{intstr.FromInt32(2), everything()}, time.Minute
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// An autoscaler that swings all day long does not keep a rollout with long holds from its end.
func TestARolloutEndsThoughAnAutoscalerSwingsAllDay(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		began := time.Now()
		swings := time.NewTicker(4 * time.Minute)
		defer swings.Stop()
		done := make(chan struct{})
		defer close(done)
		go func() {
			for _, replicas := range slices.Repeat([]int32{9, 14, 6, 4, 20, 5}, 100) {
				select {
				case <-done:
					return
				case <-swings.C:
					b.change(func() { b.scale(replicas) })
				}
			}
		}()
		options := inSteps
		options.Hold = 8 * time.Hour
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		if took := time.Since(began); took < 24*time.Hour || took > 25*time.Hour {
			t.Errorf("it took %s, with three holds of eight hours", took)
		}
		if lowest := result.Availability.Lowest; lowest == 0 {
			t.Errorf("%d pods were ready at one moment", lowest)
		}
	})
}

// A silent node is warned of once, whenever it falls silent, and what is left in the way is known when the timeout passes.
func TestSilentNodesAreWarnedOfOnceEach(t *testing.T) {
	t.Parallel()
	var told []string
	s := &session{Engine: &Engine{Clock: clock.RealClock{}, Emit: func(_ time.Time, event Event) {
		if f, is := event.(FindingEvent); is {
			told = append(told, f.Finding.Message)
		}
	}}}
	in := &diagnose.Input{Workload: diagnose.Object{Kind: "DaemonSet", Name: "web"}, Now: noon(60)}
	look := func(nodes ...string) {
		in.Pods = nil
		for _, node := range nodes {
			in.Pods = append(in.Pods, &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "web-" + node, UID: types.UID(node)}, Spec: corev1.PodSpec{NodeName: node},
				Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
					{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(noon(0))},
					{Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
				}},
			})
		}
		report := diagnose.Diagnose(in)
		s.warn(&report)
		s.tellWarnings(t.Context())
	}
	for _, nodes := range [][]string{{"a"}, {"a"}, {"a", "b"}, {"b"}, {"b", "a"}, {}, {"c"}, {"a", "c"}} {
		look(nodes...)
	}
	if len(told) != 3 || !strings.HasPrefix(told[0], "node a ") || !strings.HasPrefix(told[1], "nodes a, b ") || !strings.HasPrefix(told[2], "node c ") {
		t.Errorf("told %q", told)
	}
	if s.hindrance == nil || len(s.hindrance.Nodes) != 2 {
		t.Errorf("in the way is %+v", s.hindrance)
	}
	if look(); s.hindrance != nil {
		t.Errorf("still in the way is %+v", s.hindrance)
	}
}

// Whoever is timed out while new pods are slow is told of them.
func TestATimeoutTellsWhatIsInTheWay(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() {
			b.shape = func(pod *corev1.Pod) {
				b.stuck = map[types.UID]bool{pod.UID: true}
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
					Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(b.now.Truncate(time.Second))}},
				}}
			}
		})
		ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, ErrTimeout)
		defer cancel()
		result := b.start(ctx, t)
		wantOutcome(t, result, TimedOut, "")
		if result.Hindrance == nil || result.Hindrance.ID != diagnose.ReadinessProbeFailed && result.Hindrance.ID != diagnose.NotReady {
			t.Errorf("in the way is %+v", result.Hindrance)
		}
	})
}
