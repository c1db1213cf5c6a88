package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A pull that is under way again after one that failed is waited for, where events tell of it before the grace is over.
func TestASecondPullIsWaitedForWhileDriving(t *testing.T) {
	for name, test := range map[string]struct {
		again time.Duration
		want  Outcome
	}{
		"soon":  {10 * time.Second, Done},
		"late":  {27 * time.Second, Done},
		"never": {time.Hour, RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				var from, to time.Time
				b.change(func() {
					b.stuck = map[types.UID]bool{}
					b.shape = func(pod *corev1.Pod) {
						b.shape = nil // the others pull at once
						from, b.stuck[pod.UID] = b.now, true
						since := metav1.NewTime(b.now.Truncate(time.Second))
						pod.CreationTimestamp = since
						pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: since}}
						pod.Status.ContainerStatuses = []corev1.ContainerStatus{waits("ErrImagePull", "dial tcp: i/o timeout")}
						pull := func(reason, message string) {
							event := eventOf(pod, reason, message, b.now.Truncate(time.Second))
							event.InvolvedObject.FieldPath = "spec.containers{app}"
							b.told = append(b.told, event)
						}
						fails := func() { pull("Failed", `Failed to pull image "web:2": dial tcp: i/o timeout`) }
						fails()
						if test.want == RolledBack { // the kubelet tries again all the same
							time.AfterFunc(33*time.Second, func() { b.change(fails) })
						}
						time.AfterFunc(test.again, func() { b.change(func() { pull("Pulling", `Pulling image "web:2"`) }) })
						time.AfterFunc(100*time.Second, func() {
							b.change(func() {
								pulled := pod.DeepCopy()
								pulled.Status.Conditions, pulled.Status.ContainerStatuses, b.stuck[pod.UID] = nil, nil, false
								b.storePod(pod.UID, pulled)
							})
						})
					}
				})
				b.seen = func(event Event) {
					if _, back := event.(RollbackEvent); back {
						to = time.Now()
					}
				}
				wantOutcome(t, b.start(t.Context(), t), test.want, "")
				if took := to.Sub(from); test.want == RolledBack && (took < 32*time.Second || took > 36*time.Second) {
					t.Errorf("the verdict took %s", took)
				}
			})
		})
	}
}
