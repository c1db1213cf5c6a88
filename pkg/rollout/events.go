package rollout

import (
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// Event is something that happened in a rollout: one of the types below.
type Event interface{ isEvent() }

type (
	// PlanEvent tells what will be done, before it begins.
	PlanEvent struct {
		Replicas int32
		Limits   Resolved
		Steps    []PlannedStep
		// From and To are the revisions that the rollout leaves and goes to; the number is 0 where that is not known.
		From, To PlannedRevision
	}
	// CheckEvent tells what the checks came to, before anything is written.
	CheckEvent struct {
		Results []preflight.Result
	}
	// StepEvent tells that a step began.
	StepEvent struct {
		Step, Of int
		Target   int32
	}
	// ProgressEvent tells the pods after a change.
	ProgressEvent struct {
		Step, Of int
		Target   int32
		Counts   Counts
		// Message is set where the line tells of something else than pods, such as a lost connection.
		Message string
	}
	// HoldEvent tells that a step's pods are ready and are now watched for a while.
	HoldEvent struct {
		Step, Of int
		Target   int32
		For      time.Duration
		// Overshot is how many new pods there are where others have made more than the step asks for, else 0.
		Overshot int32
	}
	// FindingEvent tells why a rollout does not come good.
	FindingEvent struct {
		Finding *Finding
		// Again tells that it was told before, and what has changed is the time that is left.
		Again bool
	}
	// RollbackEvent tells that the old version is to return.
	RollbackEvent struct {
		// Revision is the number that the old version had before.
		Revision int64
		// Images are those of its containers.
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
	// Notes are what is to be known of a success.
	Notes []string
	// Finding is why it failed, where that is known.
	Finding *Finding
	// Hindrance is the gravest warning that held when the command's own timeout passed, nil where there was none.
	Hindrance *Finding
	// Revision is the revision that the Deployment runs in the end, 0 where it is not known.
	Revision int64
	// Standing tells that a rollout is still open, and Record at which step it stands.
	Standing bool
	Record   *Record
	// Towards is set while the Deployment controller is completing by itself what the command no longer waits for: Done
	// for the new version, RolledBack for the old one.
	Towards Outcome
	// Terminating is how many pods still end after a success.
	Terminating int32
	// Availability is nil where nothing was rolled.
	Availability *Availability
}
