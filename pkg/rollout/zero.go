package rollout

import (
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// noReplicas is the message about a rollout that ends without a single new pod, which proves nothing about the version.
const noReplicas = "no pods are wanted, so none shows that this version works"

// sized records whether the workload has had pods to roll out since this process began to look.
func (m memory) sized(pods int32) memory {
	m.populated = m.populated || pods > 0
	return m
}

// emptied responds to a step that has no pods any more. If there were none from the beginning, the rollout is done, and
// its result says so. Otherwise the steps that were asked for were never made, and the new version has never been
// ready: the rollout stops.
func (m memory) emptied(workload workload.Object) action {
	if !m.populated {
		return finish{outcome: Done}
	}
	return stop{outcome: Overtaken, message: emptiedText(workload) + " before the new version was ready, so that no pod shows that it works"}
}

// emptiedText says why a workload has no pods left to roll out.
func emptiedText(w workload.Object) string {
	switch of := workload.Of(w); {
	case of.IsPerNode:
		return "no node was left for its pods"
	case of.HasOrdinals && of.Counts.Desired > 0:
		return fmt.Sprintf("it was scaled to %d pods, all of which its partition keeps at their version,", of.Counts.Desired)
	}
	return "it was scaled to 0"
}

// ofNothing returns the message about a complete rollout that had no pods to complete it, or "" if there were pods.
func ofNothing(w workload.Object, outcome Outcome) string {
	if outcome == Done && workload.PodCountsOf(w).Desired == 0 {
		return noReplicas
	}
	return ""
}

// Overshot returns the number of new pods if a step asks for fewer, or 0. Others have caused them: a controller makes
// new pods when a workload is scaled up, and the DaemonSet controller makes one on each node that joins.
func Overshot(counts Counts, target int32) int32 {
	if counts.New > target {
		return counts.New
	}
	return 0
}

// newSize returns how many pods the controller wants of the newest ReplicaSet.
func (s *Snapshot) newSize() int32 {
	if current := s.Current(); current != nil {
		return workload.SizeOf(current)
	}
	return 0
}
