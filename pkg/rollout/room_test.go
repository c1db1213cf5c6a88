package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// Where there is room for but one further pod, and a pod takes longer to become ready than a full node is waited for, a larger
// surge makes a rollout no faster, and no failure.
func TestASurgeThatThereIsNoRoomForIsWaitedForWhileDriving(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		want  Outcome
	}{
		"it comes up":    {90 * time.Second, Done},
		"it never comes": {time.Hour, RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.d.Spec.Strategy.RollingUpdate.MaxSurge = new(intstr.FromInt32(2))
					b.stuck = map[types.UID]bool{}
					made := 0
					b.shape = func(pod *corev1.Pod) {
						if made++; made == 2 {
							b.shape = nil // the others are up at once
						}
						since := metav1.NewTime(b.now.Truncate(time.Second))
						pod.CreationTimestamp, b.stuck[pod.UID] = since, true
						pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: since}}
						pod.Spec.Containers = []corev1.Container{{Name: "app", StartupProbe: &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 12}}}
						pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
							Name: "app", Started: new(false), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: since}},
						}}
						after := test.takes
						if made == 2 {
							after += 5 * time.Second // an old one has gone
							pod.Spec.NodeName, pod.Status.ContainerStatuses = "", nil
							pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
								Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, LastTransitionTime: since,
								Message: "0/3 nodes are available: 3 Insufficient cpu.",
							})
						}
						time.AfterFunc(after, func() {
							b.change(func() {
								up := pod.DeepCopy()
								up.Spec.NodeName, up.Status.Conditions, up.Status.ContainerStatuses, b.stuck[pod.UID] = "node", nil, nil, false
								b.storePod(pod.UID, up)
							})
						})
					}
				})
				atOnce := inSteps
				atOnce.Steps = plan.Steps{everything()}
				result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, atOnce)
				if err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, result, test.want, "")
			})
		})
	}
}
