package rollout

import (
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// Event is something that happened in a rollout: one of the types below.
type Event interface{ isEvent() }

type (
	// PlanEvent describes what will be done, before it begins.
	PlanEvent struct {
		Replicas int32
		Limits   plan.Resolved
		Steps    []plan.StepPreview
		// From and To are the revisions that the rollout leaves and goes to. The number is 0 if it is not known.
		From, To PlannedRevision
	}
	// CheckEvent gives the results of the checks, before anything is written.
	CheckEvent struct {
		Results []preflight.Result
	}
	// StepEvent reports that a step began.
	StepEvent struct {
		Step, Of int
		Target   int32
	}
	// ProgressEvent reports the pods after a change.
	ProgressEvent struct {
		Step, Of int
		Target   int32
		Counts   Counts
		// Message is set if the event reports something else than pods, such as a lost connection.
		Message string
	}
	// HoldEvent reports that a step's pods are ready and are now watched for a while.
	HoldEvent struct {
		Step, Of int
		Target   int32
		For      time.Duration
		// Overshot is how many new pods there are if others have made more than the step asks for, else 0.
		Overshot int32
	}
	// FindingEvent reports why a rollout fails, or may fail.
	FindingEvent struct {
		Finding *Finding
		// Again says that the finding was emitted before, and only the time that is left has changed.
		Again bool
	}
	// RollbackEvent reports that the old version is to return.
	RollbackEvent struct {
		// Revision is the number that the old version had before.
		Revision int64
		// Images are the images of the old version's containers.
		Images []string
	}
)

// PlannedRevision is a revision with the images of its containers.
type PlannedRevision struct {
	Number int64
	Images []string
}

func (PlanEvent) isEvent()     {}
func (CheckEvent) isEvent()    {}
func (StepEvent) isEvent()     {}
func (ProgressEvent) isEvent() {}
func (HoldEvent) isEvent()     {}
func (FindingEvent) isEvent()  {}
func (RollbackEvent) isEvent() {}

// Result is how a command's work on a rollout ended.
type Result struct {
	Outcome Outcome
	// Message is one sentence: what happened and what to do next.
	Message string
	// Notes are facts that the user should know about a success.
	Notes []string
	// Finding is why the rollout failed, or nil if that is not known.
	Finding *Finding
	// Hindrance is the gravest warning that held when the command's own timeout passed, or nil if there was none.
	Hindrance *Finding
	// Revision is the revision that the Deployment runs in the end, or 0 if it is not known.
	Revision int64
	// Standing says that a rollout is still open. Record then says at which step.
	Standing bool
	Record   *Record
	// Towards is set while the Deployment controller is completing by itself what the command no longer waits for: Done
	// for the new version, RolledBack for the old one.
	Towards Outcome
	// Terminating is how many pods are still ending after a success.
	Terminating int32
	// Availability is nil if no pods were rolled.
	Availability *Availability
}
