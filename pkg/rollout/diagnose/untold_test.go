package diagnose

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A pod that does not go on without a word that is known here is told with what there is, and is never a failure by that: an
// image may be large, and a volume far away.
func TestAPodThatDoesNotGoOn(t *testing.T) {
	t.Parallel()
	type told struct {
		kind, reason, message string
		last                  int
	}
	creating := func() *corev1.Pod { return podWith("a", waits("ContainerCreating", "")) }
	sandboxed := creating()
	sandboxed.Status.Conditions = append(sandboxed.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue, LastTransitionTime: at(50),
	})
	untouched := creating()
	untouched.Status = corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: at(20)}}}
	unfetched := podWith("a", waits("CreateContainerConfigError", "failed to sync configmap cache: timed out waiting for the condition"))
	second := creating()
	second.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "migrate", State: ended(0, "Completed", 1, 500)}}
	beside := podWith("a", runs(30))
	beside.Status.ContainerStatuses = append(beside.Status.ContainerStatuses, corev1.ContainerStatus{
		Name: "proxy", State: waits("ContainerCreating", "").State,
	})
	beside.Status.ContainerStatuses[0].Ready = true
	well := isReady(podWith("a", waits("ContainerCreating", "")), 1) // its container's status is from before
	if got := summary(Diagnose(inputOf(1000, well))); got != "" {
		t.Errorf("ready: got %s", got)
	}
	devices := told{"Warning", "FailedPrepareDynamicResources", "no driver for gpu.example.com", 595}
	for name, test := range map[string]struct {
		pod    *corev1.Pod
		events []told
		blind  bool
		// from is from when on it is told, and tells what has to be in its evidence.
		from  int
		tells string
	}{
		"no word at all":           {creating(), nil, false, 120, "no event that was read tells why"},
		"its kubelet is dead":      {untouched, nil, false, 140, "no event that was read tells why"},
		"events cannot be read":    {creating(), nil, true, 600, "events, which may tell why, cannot be read"},
		"an image may be pulled":   {sandboxed, nil, false, 650, "container app waits: ContainerCreating"},
		"an image is pulled":       {sandboxed, []told{{"Normal", "Pulling", `Pulling image "large"`, 51}}, false, 651, `Pulling at 12:00:51Z: Pulling image "large"`},
		"it was pulled":            {sandboxed, []told{{"Normal", "Pulling", "", 51}, {"Normal", "Pulled", "image is there", 300}}, false, 420, "Pulled at 12:05:00Z"},
		"a volume was slow":        {creating(), []told{{"Normal", "SuccessfulAttachVolume", "attached", 200}}, false, 320, "SuccessfulAttachVolume"},
		"words not known":          {creating(), []told{devices}, false, 120, "FailedPrepareDynamicResources at 12:09:55Z: no driver for gpu.example.com"},
		"it had no node before":    {untouched, []told{{"Warning", "FailedScheduling", "0/1 nodes are available", 19}}, false, 140, "no event that was read tells why"},
		"words not known, pulling": {creating(), []told{devices, {"Normal", "Pulling", "", 51}}, false, 651, "FailedPrepareDynamicResources"},
		"not fetched":              {unfetched, nil, false, 120, "failed to sync configmap cache"},
		"after another container":  {second, nil, false, 620, "container app waits"},
		"beside another":           {beside, nil, false, 150, "container proxy waits"},
	} {
		in := inputOf(test.from-1, test.pod)
		in.Blind, in.Deadline = test.blind, 10*time.Minute
		for _, e := range test.events {
			event := about(test.pod, "app", e.reason, e.message, 0)
			event.Type, event.LastTimestamp = e.kind, at(e.last)
			in.Events = append(in.Events, event)
		}
		if report := Diagnose(in); summary(report) != "" || !report.Next.Equal(at(test.from).Time) {
			t.Errorf("%s: too early %s, or next %s", name, summary(report), report.Next)
		}
		for _, now := range []int{test.from, 24 * 3600} {
			in.Now = at(now).Time
			report := Diagnose(in)
			if got := summary(report); got != "warning Undetermined 1" {
				t.Errorf("%s, after %d s: got %q", name, now, got)
				continue
			}
			f := &report.Findings[0]
			if f.Grace != nil || f.Starting() || !strings.Contains(strings.Join(f.Evidence, "\n"), test.tells) {
				t.Errorf("%s: got %s, grace %v, evidence %q", name, f, f.Grace, f.Evidence)
			}
		}
	}
}
