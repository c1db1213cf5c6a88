package rollout

import (
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// View is what a command that only watches sees at one moment.
type View struct {
	Workload workload.Object
	Phase    workload.Phase
	// State is where the workload stands with regard to stepwise rollouts. Record and Counts are set while one is open.
	State  State
	Record *Record
	Counts Counts
	// Finding is why the rollout does not succeed. Message is why it does not go on. Both are empty while it may
	// succeed.
	Finding *Finding
	Message string
	// Outcome is set together with Finding or Message.
	Outcome Outcome
	// Hindrance is the gravest warning at present, or nil if there is none.
	Hindrance *Finding
	// Obstacle is a pod that a StatefulSet waits for, perhaps in vain, before it replaces the pod.
	Obstacle Obstacle
	// Settling is set if containers of a StatefulSet or DaemonSet have ended before. They have yet to run for long
	// enough for success to be certain.
	Settling bool
	// Unseen is set while a container of a new pod of a StatefulSet or DaemonSet may have ended without the kubelet having seen
	// it.
	Unseen bool
	// Lacks says which pods keep a StatefulSet or DaemonSet from being complete. It is set only if the status alone does not show
	// that.
	Lacks string
	// Attendance is who looks after an open rollout. AbandonedFor is for how long the command has seen that nobody
	// does.
	Attendance   *Attendance
	AbandonedFor time.Duration
	// GoingBack is set if the driver of the rollout is about to go back because of the finding. Returns is set if the
	// old version is returning.
	GoingBack, Returns bool
	// Terminating is how many pods are still terminating. Ending is the sentence about them.
	Terminating int32
	Ending      string
	// Stale is set while a connection is broken. Until it is back, the view does not judge what the pods do.
	Stale bool
	// Blind is the error about a missing right to see the pods. Without the pods, the view does not show why a rollout
	// fails.
	Blind error
}

// Glance returns what a workload shows by itself, without its pods.
func Glance(w workload.Object) *View { return &View{Workload: w, Phase: workload.PhaseOf(w)} }

func (v *View) failed(finding *Finding) {
	if finding != nil {
		v.Phase, v.Outcome, v.Finding = workload.PhaseFailed, Failed, finding
	}
}
