package printers

import "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"

// docs/json.md is generated from the comments of the types whose fields have JSON names, in this file and in others.
//go:generate go run ../../hack/pages -root ../..

// header is the beginning of every JSON event.
type header struct {
	// SchemaVersion is 1. It is raised when a field changes its meaning or goes away.
	SchemaVersion int `json:"schemaVersion"`
	// Time is the time by the API server's clock: RFC 3339, UTC.
	Time string `json:"time"`
	// Type is the type of the event.
	Type string `json:"type"`
	// Object is the object that the event is about: `apiVersion`, `kind`, `namespace`, `name`.
	Object Object `json:"object"`
}

// planEvent comes before the first step.
type planEvent struct {
	header
	// Replicas is the number of pods that the workload is to have.
	Replicas int32 `json:"replicas"`
	// MaxSurge is how many pods there may be above `replicas`.
	MaxSurge int32 `json:"maxSurge"`
	// MaxUnavailable is how many pods may be missing or not ready.
	MaxUnavailable int32 `json:"maxUnavailable"`
	// Plan lists the planned steps.
	Plan []plannedStep `json:"plan"`
	// From is the revision that the rollout leaves: `revision`, `images`.
	From *revisionRef `json:"from,omitempty"`
	// To is the revision that the rollout goes to.
	To *revisionRef `json:"to,omitempty"`
}

// plannedStep is an element of `plan`.
type plannedStep struct {
	// Step is the number of the step, from 1.
	Step int `json:"step"`
	// As is the step as it was asked for, such as `25%`.
	As string `json:"as"`
	// New is the number of new pods at the end of the step.
	New int32 `json:"new"`
	// Old is the number of old pods at the end of the step.
	Old int32 `json:"old"`
	// MaxTotal is the largest number of pods during the step.
	MaxTotal int32 `json:"maxTotal"`
	// MinAvailable is the smallest number of available pods during the step.
	MinAvailable int32 `json:"minAvailable"`
}

// revisionRef names a revision.
type revisionRef struct {
	// Revision is the number of the revision.
	Revision int64 `json:"revision"`
	// Images lists the images of its containers.
	Images []string `json:"images"`
}

// checksEvent comes before anything is written.
type checksEvent struct {
	header
	// Checks lists the results of the checks.
	Checks []checkResult `json:"checks"`
}

// checkResult is an element of `checks`.
type checkResult struct {
	// ID is the name of the check. IDs do not change.
	ID string `json:"id"`
	// Status is `OK`, `WARN`, `FAIL` or `SKIP`.
	Status string `json:"status"`
	// Message says what the check found, or why it was skipped.
	Message string `json:"message"`
}

// stepEvent comes when a step begins.
type stepEvent struct {
	header
	// Step is the number of the step, from 1.
	Step int `json:"step"`
	// Steps is the number of all steps.
	Steps int `json:"steps"`
	// Target is the number of new pods that the step asks for.
	Target int32 `json:"target"`
}

// progressEvent comes when pods have changed.
type progressEvent struct {
	header
	pods
	// Message is set if the event is about something else than pods, such as a lost connection.
	Message string `json:"message,omitempty"`
}

// pods are the counts that go with a step.
type pods struct {
	// Step is the number of the step, from 1. It is missing while the old version returns.
	Step int `json:"step,omitempty"`
	// Steps is the number of all steps.
	Steps int `json:"steps,omitempty"`
	// Target is the number of pods that the step asks for.
	Target int32 `json:"target"`
	// New is the number of new pods.
	New int32 `json:"new"`
	// NewReady is how many of the new pods are ready.
	NewReady int32 `json:"newReady"`
	// Old is the number of old pods.
	Old int32 `json:"old"`
	// OldReady is how many of the old pods are ready.
	OldReady int32 `json:"oldReady"`
	// Total is the number of all pods.
	Total int32 `json:"total"`
	// Ready is how many of all pods are ready.
	Ready int32 `json:"ready"`
}

// holdEvent comes when the pods of a step are ready and are now watched.
type holdEvent struct {
	header
	// Step is the number of the step, from 1.
	Step int `json:"step"`
	// Steps is the number of all steps.
	Steps int `json:"steps"`
	// Target is the number of new pods that the step asks for.
	Target int32 `json:"target"`
	// HoldSeconds is how long the pods are watched.
	HoldSeconds float64 `json:"holdSeconds"`
	// Overshot is the number of new pods if others have made more than the step asks for.
	Overshot int32 `json:"overshot,omitempty"`
}

// findingEvent comes when something stands in the way.
type findingEvent struct {
	header
	// Finding is the cause.
	Finding *finding `json:"finding"`
	// Message is the finding in one sentence.
	Message string `json:"message"`
	// Again is true if the finding was reported before, and only the time that is left has changed.
	Again bool `json:"again,omitempty"`
}

// rollbackEvent comes when the old version is to return.
type rollbackEvent struct {
	header
	// Revision is the number that the old version had before.
	Revision int64 `json:"revision"`
	// Images lists the images of the old version.
	Images []string `json:"images,omitempty"`
}

// resultEvent is the last event.
type resultEvent struct {
	header
	// Outcome is how the command's work ended.
	Outcome rollout.Outcome `json:"outcome"`
	// ExitCode is the exit code of the command.
	ExitCode int `json:"exitCode"`
	// Message is one sentence: what happened, and what to do next.
	Message string `json:"message,omitempty"`
	// Notes lists facts that the user should know about a success.
	Notes []string `json:"notes,omitempty"`
	// Revision is the revision that the workload runs in the end.
	Revision int64 `json:"revision,omitempty"`
	// Standing is true while a rollout is still open.
	Standing bool `json:"standing,omitempty"`
	// Terminating is how many old pods are still ending after a success.
	Terminating int32 `json:"terminating,omitempty"`
	// Finding is why the rollout failed.
	Finding *finding `json:"finding,omitempty"`
	// Availability is what was measured, if pods were replaced.
	Availability *availability `json:"availability,omitempty"`
}

// availability is what was measured during a rollout.
type availability struct {
	// LowestReady is the number of ready pods at the moment that was worst for the limits.
	LowestReady int32 `json:"lowestReady"`
	// Floor is the smallest number of ready pods that the limits allowed at that moment.
	Floor int32 `json:"floor"`
	// HighestTotal is the number of pods at the moment that was worst for the limits.
	HighestTotal int32 `json:"highestTotal"`
	// Ceiling is the largest number of pods that the limits allowed at that moment.
	Ceiling int32 `json:"ceiling"`
	// Scaled is true if the workload was scaled meanwhile, so that the limits changed.
	Scaled bool `json:"scaled,omitempty"`
	// DurationSeconds is the time from the first change to the end.
	DurationSeconds float64 `json:"durationSeconds"`
	// Steps lists the duration of each step: `step`, `target`, `durationSeconds`.
	Steps []stepTime `json:"steps,omitempty"`
}

// stepTime is the duration of a step.
type stepTime struct {
	// Step is the number of the step, from 1.
	Step int `json:"step"`
	// Target is the number of new pods that the step asked for.
	Target int32 `json:"target"`
	// DurationSeconds is how long the step took, with its hold.
	DurationSeconds float64 `json:"durationSeconds"`
}

// affectedEvent lists the workloads that a change of a ConfigMap or Secret affects.
type affectedEvent struct {
	header
	// ChangedKeys lists the keys that change.
	ChangedKeys []string `json:"changedKeys"`
	// Workloads lists the workloads that use the object.
	Workloads []AffectedWorkload `json:"workloads"`
}

// configEvent comes when a ConfigMap or Secret was written.
type configEvent struct {
	header
	// Change is `created`, `changed`, `deleted`, or `planned` in a dry run.
	Change string `json:"change"`
	// Hash is the hash in the name of the version with the new content. It is missing for a Secret without a version.
	Hash string `json:"hash,omitempty"`
}
