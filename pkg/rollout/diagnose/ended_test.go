package diagnose

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Who sees a container end after its pod had been ready knows no more than that; the report tells how it did, and who ended it.
func TestHowAContainerEndedAfterItsPodWasReady(t *testing.T) {
	t.Parallel()
	restarted := func(code int32, reason string, restarts int32) corev1.ContainerStatus {
		status := runs(21)
		status.RestartCount, status.LastTerminationState = restarts, ended(code, reason, 1, 20)
		return status
	}
	const (
		crash  = "the pod had been ready, and the container ended after 19s, restarts: 1 (exit code 2)"
		killed = "the pod had been ready, and the container was killed because its liveness probe failed (exit code 137)"
		memory = "the pod had been ready, and the container was killed because it took more memory than its limit (exit code 137)"
	)
	for name, test := range map[string]struct {
		status         corev1.ContainerStatus
		want, evidence string
	}{
		"just now":  {corev1.ContainerStatus{State: ended(2, "Error", 1, 20)}, "the pod had been ready, and the container ended after 19s (exit code 2)", ""},
		"crash":     {restarted(2, "Error", 1), crash, "NotReady: the container runs and is not ready"},
		"memory":    {restarted(137, "OOMKilled", 1), memory, "NotReady"},
		"liveness":  {restarted(137, "Error", 1), killed, "Liveness probe failed: 500"},
		"and again": {restarted(137, "Error", 2), killed, "Liveness probe failed: 500"},
	} {
		pod := podWith("a", test.status)
		in := inputOf(22, pod)
		if strings.Contains(test.want, "liveness") {
			in.Events = []*corev1.Event{
				about(pod, "app", "Killing", "Container app failed liveness probe, will be restarted", 18),
				about(pod, "app", "Unhealthy", "Liveness probe failed: 500", 18),
			}
		}
		report := Diagnose(in)
		f := Known(RestartedAfterReady, in.Workload, in.Namespace, "a container ended after the pod had been ready")
		f.BlamePod(pod)
		f.BlameContainer(&pod.Status.ContainerStatuses[0])
		f = f.Refined(&report)
		evidence := strings.Join(f.Evidence, "\n")
		if f.ID != RestartedAfterReady || !strings.HasSuffix(f.String(), ": "+test.want) || !strings.Contains(evidence, test.evidence) {
			t.Errorf("%s: got %s, evidence %q", name, f, f.Evidence)
		}
		if strings.Contains(evidence, "the container ended") || strings.Contains(evidence, "the container was killed") {
			t.Errorf("%s: evidence %q is told already", name, f.Evidence)
		}
	}
}
