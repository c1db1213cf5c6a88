package rollout

import (
	"context"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	// aliveEvery is how often a driver gives a sign of life while it has nothing else to write.
	aliveEvery = 20 * time.Second
	// aliveInHold is the same for a driver that holds a step. It can be longer, since the record says when the hold ends.
	aliveInHold = time.Minute
	// aliveTimeout bounds the write of a sign of life.
	aliveTimeout = 5 * time.Second
)

// alivePace returns how often the record's driver gives a sign of life.
func (r *Record) alivePace() time.Duration {
	if r.HoldUntil != nil {
		return aliveInHold
	}
	return aliveEvery
}

// lastSign returns when a driver last wrote the record. Every write is a sign of life.
func (r *Record) lastSign(w workload.Object) time.Time {
	last := later(r.StartedAt.Time, recordWritten(w))
	if r.AliveAt != nil {
		last = later(last, r.AliveAt.Time)
	}
	return last
}

// lostAt returns from when on the record's driver counts as gone, if it writes nothing until then. It returns zero if the
// driver gives no signs of life, as those of earlier versions do not.
func (r *Record) lostAt(w workload.Object) time.Time {
	if r.AliveAt == nil {
		return time.Time{}
	}
	return r.lastSign(w).Add(5 * r.alivePace() / 2)
}

// alive returns the record with a sign of life.
func (r *Record) alive(now time.Time) *Record {
	alive, at := *r, inSeconds(now)
	alive.AliveAt = &at
	return &alive
}

// signAt returns when the session has to give its next sign of life, or zero if it does not drive a rollout forward.
func (s *session) signAt(w workload.Object) time.Time {
	if s.phase != stepping || s.state != Open || s.record == nil || s.record.Held || s.record.Rest != nil || s.parted != nil {
		return time.Time{}
	}
	return later(s.record.lastSign(w), s.signedAt).Add(s.record.alivePace())
}

// sleepAlive sleeps as sleep does, and gives a sign of life by a write whenever one is due. A write that fails is no reason to
// stop: the next one is due soon enough.
func (s *session) sleepAlive(ctx context.Context, w workload.Object, stale bool, until time.Time, write func(context.Context, *Record) error) error {
	at := s.signAt(w)
	if at.IsZero() || stale {
		return s.sleep(ctx, until)
	}
	now := s.Clock.Now()
	if now.Before(at) {
		return s.sleep(ctx, earlier(until, at))
	}
	s.signedAt = now
	writing, cancel := context.WithTimeout(ctx, aliveTimeout)
	defer cancel()
	_ = write(writing, s.record.alive(now))
	return context.Cause(ctx)
}
