package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// terminatingPods returns the pods of a workload that are being deleted but still exist. The one that may take longest
// comes first.
func terminatingPods(w workload.Object, replicaSets []*appsv1.ReplicaSet, pods []*corev1.Pod) []*corev1.Pod {
	known := map[types.UID]bool{}
	for _, rs := range replicaSets {
		known[rs.UID] = true
	}
	hasReplicaSets := workload.Of(w).HasReplicaSets
	var found []*corev1.Pod
	for _, pod := range pods {
		owner := metav1.GetControllerOfNoCopy(pod)
		switch {
		case pod.DeletionTimestamp == nil || owner == nil:
		case !hasReplicaSets && owner.UID == w.GetUID(), hasReplicaSets && known[owner.UID],
			// Without a revision history, a ReplicaSet may be gone before its pods.
			hasReplicaSets && owner.Kind == "ReplicaSet" && strings.HasPrefix(owner.Name, w.GetName()+"-"):
			found = append(found, pod)
		}
	}
	slices.SortFunc(found, func(a, b *corev1.Pod) int {
		return cmp.Or(b.DeletionTimestamp.Compare(a.DeletionTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return found
}

// terminatingText says which pods are still terminating, and how long they may take, or that they take longer than they may. It
// returns "" if there are none.
func terminatingText(pods []*corev1.Pod, now time.Time) string {
	if len(pods) == 0 {
		return ""
	}
	names := make([]string, len(pods))
	for i, pod := range pods {
		names[i] = pod.Name
	}
	verb := "1 pod that was told to end is"
	if len(pods) > 1 {
		verb = fmt.Sprintf("%d pods that were told to end are", len(pods))
	}
	due := pods[0].DeletionTimestamp.UTC()
	when := "until " + due.Format(time.RFC3339) + " at the latest"
	if due.Before(now) { // a node may be silent, or a finalizer hold it
		when = "and should have ended by " + due.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s still there, %s: %s", verb, when, named(names))
}

// terminating returns the pods of the session's workload that are still terminating.
func (s *session) terminating() []*corev1.Pod {
	workload := s.source.workload()
	if workload == nil {
		return nil
	}
	return terminatingPods(workload, s.source.snapshot().ReplicaSets, s.source.pods())
}

// untilTerminated delays a success while pods are still terminating, if WaitTerminated is set.
func (s *session) untilTerminated(next action) action {
	end, stops := next.(stop)
	if !s.WaitTerminated || !stops || end.outcome != Done && end.outcome != RolledBack {
		return next
	}
	pods := s.terminating()
	if s.lingers = len(pods) > 0; !s.lingers {
		return next
	}
	if !s.toldLingering {
		s.toldLingering = true
		s.emit(ProgressEvent{Message: "ending: " + terminatingText(pods, s.Clock.Now())})
	}
	return await{}
}

// withTerminating adds the pods that are still terminating to the result of a success.
func (s *session) withTerminating(result *Result) *Result {
	if result.Outcome != Done && result.Outcome != RolledBack && !s.lingers {
		return result
	}
	pods := s.terminating()
	result.Terminating = int32(len(pods)) //nolint:gosec // pods of one workload
	switch text := terminatingText(pods, s.Clock.Now()); {
	case text == "":
	case s.lingers:
		result.Towards = ""
		result.Message += ": the rollout is complete, and " + text
	default:
		result.Notes = append(result.Notes, text)
	}
	return result
}
