package rollout

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// aboutApp is an event of the container app.
func aboutApp(pod *corev1.Pod, reason, message string, at time.Time) *corev1.Event {
	event := eventOf(pod, reason, message, at)
	event.InvolvedObject.FieldPath = "spec.containers{app}"
	return event
}

// That a crash is a probe's doing is told by events alone, which are read once there is a verdict.
func TestACrashThatTurnsOutToBeAProbesDoing(t *testing.T) {
	for name, test := range map[string]struct {
		denied bool
		want   string
	}{
		"events are read":   {want: diagnose.LivenessProbeFailed},
		"events are denied": {denied: true, want: diagnose.CrashLoopBackOff},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				const failed = "Liveness probe failed: HTTP probe failed with statuscode: 500"
				b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" }
				b.shape = func(pod *corev1.Pod) {
					b.told = append(b.told, aboutApp(pod, "Unhealthy", failed, b.now), aboutApp(pod, "Killing", "Container app failed liveness probe, will be restarted", b.now))
				}
				b.refuse = func(request *http.Request) error {
					if test.denied && strings.HasSuffix(request.URL.Path, "/events") {
						return apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "", errors.New("no"))
					}
					return nil
				}
				result := b.start(t.Context(), t)
				wantOutcome(t, result, RolledBack, "")
				f, blind := result.Finding, 0
				for _, event := range b.events {
					if e, is := event.(ProgressEvent); is && strings.HasPrefix(e.Message, "causes that only events tell are not seen") {
						blind++
					}
					if e, is := event.(FindingEvent); is && e.Finding != f {
						t.Errorf("told another: %s", e.Finding)
					}
				}
				if f.ID != test.want || len(f.Logs) != 2 || slices.Contains(f.Evidence, failed) == test.denied || (blind == 1) != test.denied {
					t.Errorf("got %s, logs %q, evidence %q, told %d times that events are not seen", f, f.Logs, f.Evidence, blind)
				}
			})
		})
	}
}

// A slow start is no failure where a startup probe allows for it: nothing is told of it. Without one it is a failure where the
// old version was quicker.
func TestASlowStartWhileDriving(t *testing.T) {
	for name, test := range map[string]struct {
		probe *corev1.Probe
		want  Outcome
		id    string
	}{
		"with a startup probe":           {&corev1.Probe{PeriodSeconds: 5, FailureThreshold: 30}, Done, ""},
		"with one that is not that slow": {&corev1.Probe{PeriodSeconds: 5, FailureThreshold: 14}, RolledBack, diagnose.NotReady},
		"without one":                    {nil, RolledBack, diagnose.ReadinessProbeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					for _, pod := range b.pods {
						next := pod.DeepCopy()
						next.Status.ContainerStatuses = []corev1.ContainerStatus{startedAt(next.Status.Conditions[0].LastTransitionTime)}
						b.storePod(pod.UID, next)
					}
					b.stuck = map[types.UID]bool{}
					b.shape = func(pod *corev1.Pod) { b.startSlowly(pod, test.probe) }
				})
				result := b.start(t.Context(), t)
				wantOutcome(t, result, test.want, "")
				if f := result.Finding; test.id != "" && (f == nil || f.ID != test.id) {
					t.Errorf("got %v", f)
				}
				for _, event := range b.events {
					if e, is := event.(FindingEvent); is && test.want == Done && !e.Finding.Starting() {
						t.Errorf("told %s: %s", e.Finding.Severity, e.Finding)
					}
				}
			})
		})
	}
}

// startedAt is a container that runs.
func startedAt(at metav1.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}}
}

// startSlowly lets a pod of the new version become ready after 100 s.
func (b *bench) startSlowly(pod *corev1.Pod, probe *corev1.Probe) {
	if imageOfTemplate(b.d) != "web:2" {
		return
	}
	since := metav1.NewTime(b.now.Truncate(time.Second))
	pod.CreationTimestamp, b.stuck[pod.UID] = since, true
	pod.Spec.Containers = []corev1.Container{{Name: "app", StartupProbe: probe, ReadinessProbe: &corev1.Probe{PeriodSeconds: 5}}}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: since}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{startedAt(since)}
	pod.Status.ContainerStatuses[0].Started = ptr.To(probe == nil)
	time.AfterFunc(100*time.Second, func() {
		b.change(func() {
			ready := pod.DeepCopy()
			ready.Status.ContainerStatuses[0].Ready, ready.Status.ContainerStatuses[0].Started = true, ptr.To(true)
			ready.Status.Conditions[0].Status, ready.Status.Conditions[0].LastTransitionTime = corev1.ConditionTrue, metav1.NewTime(b.now.Truncate(time.Second))
			b.storePod(pod.UID, ready)
		})
	})
}
