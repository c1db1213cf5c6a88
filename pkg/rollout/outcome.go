package rollout

// Outcome is how a command's work on a rollout ended.
type Outcome string

// The outcomes; their names are part of the JSON output.
const (
	// Done means that the new version is complete and the workload is as it should be.
	Done Outcome = "done"
	// Unchanged means that there was nothing to do.
	Unchanged Outcome = "unchanged"
	// Planned means that a dry run showed what the command would do.
	Planned Outcome = "planned"
	// RolledBack means that the old version is complete again.
	RolledBack Outcome = "rolled-back"
	// Failed means that the rollout failed and was left as it was then.
	Failed Outcome = "failed"
	// Overtaken means that another client's change ended the rollout. The workload was left as it was then.
	Overtaken Outcome = "overtaken"
	// Paused means that the Deployment is paused, or the rollout is held at its step.
	Paused Outcome = "paused"
	// Detached means that the client was interrupted; the rollout stands still.
	Detached Outcome = "detached"
	// TimedOut means that the command's own timeout passed; the rollout stands still.
	TimedOut Outcome = "timed-out"
	// Deleted means that the workload is gone.
	Deleted Outcome = "deleted"
	// Errored means that the command could not do its work.
	Errored Outcome = "error"
)
