package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A time that has passed is no promise: a silent node or a finalizer may hold a pod for ever.
func TestTerminatingText(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pods := []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "web-1", DeletionTimestamp: &metav1.Time{Time: due}}}}
	for after, want := range map[time.Duration]string{
		-time.Second: "1 pod that was told to end is still there, until 2026-01-02T03:04:05Z at the latest: web-1",
		time.Second:  "1 pod that was told to end is still there, and should have ended by 2026-01-02T03:04:05Z: web-1",
	} {
		if got := terminatingText(pods, due.Add(after)); got != want {
			t.Errorf("%s after: got %q", after, got)
		}
	}
}
