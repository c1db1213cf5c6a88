package rollout

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
)

// noReplicas is said of a rollout that ends without a single new pod, which nothing can be told from.
const noReplicas = "no pods are wanted, so none shows that this version works"

// sized notes whether the workload has had pods to roll out since this process began to look.
func (m memory) sized(pods int32) memory {
	m.populated = m.populated || pods > 0
	return m
}

// emptied answers a step that has no pods any more. Who begins a rollout of no pods is told so. Who had pods when the rollout
// began asked for their steps: those were never made, and the new version has never been ready.
func (m memory) emptied(workload Workload) action {
	if !m.populated {
		return finish{outcome: Done}
	}
	return stop{outcome: Overtaken, message: emptiedText(workload) + " before the new version was ready, so that no pod shows that it works"}
}

// emptiedText says why nothing is left of a workload to roll out.
func emptiedText(workload Workload) string {
	desired := PodCountsOf(workload).Desired
	switch workload.(type) {
	case *appsv1.DaemonSet:
		return "no node was left for its pods"
	case *appsv1.StatefulSet:
		if desired > 0 {
			return fmt.Sprintf("it was scaled to %d pods, all of which its partition keeps at their version,", desired)
		}
	}
	return "it was scaled to 0"
}

// ofNothing is what there is to say of a rollout that is complete: whether there was any pod to complete it.
func ofNothing(workload Workload, outcome Outcome) string {
	if outcome == Done && PodCountsOf(workload).Desired == 0 {
		return noReplicas
	}
	return ""
}

// Overshot is how many new pods a step has where it asks for fewer, 0 where it has no more than that. Others have made them: a
// controller makes new pods where it is told to make more, and a DaemonSet's on each node that joins.
func Overshot(counts Counts, target int32) int32 {
	if counts.New > target {
		return counts.New
	}
	return 0
}

// newSize is how many pods the controller wants of the newest ReplicaSet.
func (s *Snapshot) newSize() int32 {
	if current := s.Current(); current != nil {
		return sizeOf(current)
	}
	return 0
}
