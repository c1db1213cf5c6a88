package rollout

import (
	"time"
)

// View is what a command that only watches sees at one moment.
type View struct {
	Workload Workload
	Phase    Phase
	// State is where a Deployment stands with regard to stepwise rollouts. Record and Counts are set while one is open.
	State  State
	Record *Record
	Counts Counts
	// Finding is why the rollout does not come good, Message why it is not going on; both are empty while it may.
	Finding *Finding
	Message string
	// Outcome is set together with either of them.
	Outcome Outcome
	// Hindrance is the gravest warning that holds, nil where there is none.
	Hindrance *Finding
	// Obstacle is a pod that a StatefulSet waits for, perhaps in vain, before it replaces it.
	Obstacle Obstacle
	// Settling tells of a StatefulSet or DaemonSet that its containers have ended before, and have yet to run for long enough
	// for success to be believed.
	Settling bool
	// Lacks says which pods keep a StatefulSet from being complete whose status alone does not show that.
	Lacks string
	// Attendance is who looks after an open rollout, and AbandonedFor for how long it was seen that nobody does.
	Attendance   *Attendance
	AbandonedFor time.Duration
	// GoingBack tells that whoever drives the rollout is about to go back for the finding, and Returns that the old version is
	// returning.
	GoingBack, Returns bool
	// Terminating are how many pods still end, and Ending the sentence about them.
	Terminating int32
	Ending      string
	// Stale tells that a connection is broken just now: what the pods do is not judged before it is back.
	Stale bool
	// Blind is the right that is missing to see the pods, and with them why a rollout does not come good.
	Blind error
}

// Glance is what a workload shows by itself, without its pods.
func Glance(workload Workload) *View { return &View{Workload: workload, Phase: PhaseOf(workload)} }

func (v *View) failed(finding *Finding) {
	if finding != nil {
		v.Phase, v.Outcome, v.Finding = PhaseFailed, Failed, finding
	}
}
