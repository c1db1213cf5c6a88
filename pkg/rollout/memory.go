package rollout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// memory is what one process has seen of the step under way. Going on never depends on it: a process without it starts
// the deadline and the hold anew.
type memory struct {
	step       int
	best       int32
	of         *int32 // the replicas that best was reached with
	progressAt time.Time
	gainedAt   time.Time
	heldSince  time.Time
	held       time.Duration // the time held before heldSince
	restarts   map[types.UID]int32
	staleSince time.Time
	lasting
}

// lasting is the part of a memory that outlives a step.
type lasting struct {
	// began is the moment from which evidence counts. patience is the least time that pods get which may still become
	// ready.
	began    time.Time
	patience time.Duration
	// retries is set if the session makes controllers try again. retried is when it last did so.
	retries bool
	retried time.Time
	seen    diagnose.Seen
	proven  *time.Duration
	runs    map[diagnose.Key]int32
	room    time.Time
	// replaced holds the new pods that have ended and were replaced.
	replaced diagnose.Replaced
	// histories hold what the pods of both versions have done. living counts those of these pods that still exist.
	histories map[types.UID]podHistory
	living    int
	// rewrites are the strategies that others wrote over the one that holds the rollout. inForce is set once that one
	// was in force.
	rewrites rewrites
	inForce  bool
	// populated is set once there were pods to roll out. reached is set once the last step was complete with them.
	populated, reached bool
	// stableAt is when the containers that restarted will have run for long enough. stableBy is when the session takes
	// that for granted, at the latest.
	stableAt, stableBy time.Time
}

// enter begins a step's memory. It leaves the time during which nothing could be seen out of the step's account.
func (m memory) enter(staleSince time.Time, step int, now time.Time) memory {
	if m.step != step {
		m = memory{step: step, progressAt: now, staleSince: m.staleSince, lasting: m.lasting}
	}
	switch {
	case !staleSince.IsZero():
		if m.staleSince.IsZero() {
			m.staleSince = staleSince
		}
	case !m.staleSince.IsZero():
		blind := now.Sub(m.staleSince)
		m.progressAt = m.progressAt.Add(blind)
		if m.progressAt.After(now) && m.heldSince.IsZero() {
			m.progressAt = now // in a hold, progressAt is when the hold ends
		}
		if !m.heldSince.IsZero() {
			m.heldSince = m.heldSince.Add(blind)
		}
		m.staleSince = time.Time{}
	}
	return m
}

// hold begins to hold a step, or goes on holding it. It returns when the step will have been held for long enough. Only
// the time during which all of the step's new pods were ready counts. A change of replicas in the meantime takes none
// of it away.
func (m memory) hold(length time.Duration, pods func() map[types.UID]int32, now time.Time) (memory, time.Time) {
	if m.heldSince.IsZero() {
		m.heldSince, m.restarts = now, pods()
	}
	return m, m.heldSince.Add(length - m.held)
}

// unhold interrupts a hold.
func (m memory) unhold(now time.Time) memory {
	if !m.heldSince.IsZero() {
		m.held += max(now.Sub(m.heldSince), 0)
	}
	m.heldSince, m.restarts = time.Time{}, nil
	return m
}

// recall gives a diagnosis what earlier ones have seen, also about pods that may be gone by now.
func (m memory) recall(in *diagnose.Input) {
	in.Seen, in.Proven, in.Replaced = m.seen, m.proven, m.replaced
	if in.Seen == nil {
		in.Seen = diagnose.Seen{}
	}
	in.After, in.Patience, in.Retries, in.Retried = m.began, m.patience, m.retries, m.retried
	in.Runs, in.Room = m.runs, m.room
	in.LossIsChance = m.lossIsChance(in.Now)
}

// after returns the memory with what a diagnosis has seen.
func (m memory) after(report *diagnose.Report) memory {
	m.seen, m.proven, m.replaced = report.Seen, report.Proven, report.Replaced
	m.runs, m.room = report.Runs, report.Room
	return m
}
