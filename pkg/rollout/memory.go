package rollout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// memory is what one process has seen of the step under way. It is never needed to go on: a process without it starts
// the deadline and the hold anew.
type memory struct {
	step       int
	best       int32
	of         *int32 // the replicas that best was reached of
	progressAt time.Time
	gainedAt   time.Time
	heldSince  time.Time
	held       time.Duration // before that
	restarts   map[types.UID]int32
	staleSince time.Time
	lasting
}

// lasting is the part of a memory that outlives a step.
type lasting struct {
	// began is from when evidence counts, and patience the least that is given to what may come good.
	began    time.Time
	patience time.Duration
	// retries tells that controllers are made to try again, and retried when one was last.
	retries bool
	retried time.Time
	seen    diagnose.Seen
	proven  *time.Duration
	runs    map[diagnose.Key]int32
	room    time.Time
	// replaced are the new pods that have ended and were replaced.
	replaced diagnose.Replaced
	// careers are what the pods of both versions have done, and living is how many of these pods there still are.
	careers map[types.UID]career
	living  int
	// rewrites are what others wrote over the strategy that holds the rollout, and inForce tells that it was in force once.
	rewrites rewrites
	inForce  bool
	// populated tells that there were pods to roll out, and reached that the last step was complete with them.
	populated, reached bool
	// settled is when the containers that restarted will have run for long enough, and settledBy when that is taken for true.
	settled, settledBy time.Time
}

// enter begins a step's memory, and leaves the time during which nothing could be seen out of its account.
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
			m.progressAt = now // in a hold it is when that ends
		}
		if !m.heldSince.IsZero() {
			m.heldSince = m.heldSince.Add(blind)
		}
		m.staleSince = time.Time{}
	}
	return m
}

// hold begins to hold a step, or goes on with that, and returns when it has been held for long enough. Only the time counts during
// which all of its new pods were ready; that replicas change in the middle of it takes none of that away.
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

// recall gives a diagnosis what the ones before it have seen, of pods that may be gone by now.
func (m memory) recall(in *diagnose.Input) {
	in.Seen, in.Proven, in.Replaced = m.seen, m.proven, m.replaced
	if in.Seen == nil {
		in.Seen = diagnose.Seen{}
	}
	in.After, in.Patience, in.Retries, in.Retried = m.began, m.patience, m.retries, m.retried
	in.Runs, in.Room = m.runs, m.room
	in.LossIsChance = m.lossIsChance(in.Now)
}

// after is the memory with what a diagnosis has seen.
func (m memory) after(report *diagnose.Report) memory {
	m.seen, m.proven, m.replaced = report.Seen, report.Proven, report.Replaced
	m.runs, m.room = report.Runs, report.Room
	return m
}
