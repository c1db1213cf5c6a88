package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// eventOf is an event of a pod.
func eventOf(pod *corev1.Pod, reason, message string, at time.Time) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{UID: pod.UID}, Reason: reason, Message: message,
		FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at),
	}
}

// A pod that no node has room for may get one later than the grace, where its events tell that one is being added, be it
// only shortly before the grace ends.
func TestANodeThatIsBeingAddedIsWaitedForWhileDriving(t *testing.T) {
	for name, test := range map[string]struct {
		told time.Duration
		want Outcome
	}{
		"at once": {time.Second, Done},
		"late":    {50 * time.Second, Done},
		"never":   {time.Hour, RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.shape = func(pod *corev1.Pod) {
						b.shape = nil // the others get a node at once
						since := metav1.NewTime(b.now.Truncate(time.Second))
						pod.Spec.NodeName, pod.CreationTimestamp = "", since
						pod.Status.Conditions = []corev1.PodCondition{{
							Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, LastTransitionTime: since,
							Message: "0/3 nodes are available: 3 Insufficient cpu.",
						}}
						time.AfterFunc(test.told, func() {
							b.change(func() { b.told = append(b.told, eventOf(pod, "TriggeredScaleUp", "pod triggered scale-up", b.now)) })
						})
						time.AfterFunc(100*time.Second, func() {
							b.change(func() {
								scheduled := pod.DeepCopy()
								scheduled.Spec.NodeName, scheduled.Status.Conditions = "new", nil
								b.storePod(pod.UID, scheduled)
							})
						})
					}
				})
				wantOutcome(t, b.start(t.Context(), t), test.want, "")
			})
		})
	}
}
