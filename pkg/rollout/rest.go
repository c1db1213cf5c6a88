package rollout

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// restTimeout bounds the last write of a command that ends.
const restTimeout = 2 * time.Second

// Rest says since when and why nobody drives an open rollout. The command that holds a rollout writes it, and so does a
// driver that ends in order. A driver that is killed cannot write it.
type Rest struct {
	Since metav1.Time `json:"since"`
	// Reason is "held", or the outcome that the driver ended with.
	Reason string `json:"reason"`
	// Cause is the ID of the finding that ended the driver's work, or "".
	Cause string `json:"cause,omitempty"`
}

// restHeld is the reason of a rollout that somebody holds at its step.
const restHeld = "held"

// resting returns the record of a rollout that nobody drives from now on.
func (r *Record) resting(now time.Time, reason, cause string) *Record {
	resting := *r
	resting.HoldUntil, resting.Rest = nil, &Rest{Since: inSeconds(now), Reason: reason, Cause: cause}
	return &resting
}

// driven returns the record of a rollout that somebody drives.
func (r *Record) driven() *Record {
	driven := *r
	driven.HoldUntil, driven.Rest = nil, nil
	return &driven
}

// hasFailed reports whether the last driver of the rollout has seen it fail before leaving it.
func (r *Record) hasFailed() bool {
	return r.Rest != nil && r.Rest.Reason == string(Failed) && r.Rest.Cause != ""
}

// inSeconds returns a moment in the precision of a record: full seconds in UTC.
func inSeconds(at time.Time) metav1.Time { return metav1.NewTime(at.UTC().Truncate(time.Second)) }

// causeOf returns the ID of a finding, or "" if it is nil.
func causeOf(finding *Finding) string {
	if finding == nil {
		return ""
	}
	return finding.ID
}

// rest records why the session stops driving a rollout, and narrows the gate if the step no longer needs it as wide.
// This is a best effort: without the write, the rollout stays at its step as well.
func (s *session) rest(ctx context.Context, snapshot *Snapshot, outcome Outcome, finding *Finding) {
	w := snapshot.Workload
	if s.phase != stepping || s.state != Open || s.record == nil || s.record.Held || w == nil || !snapshot.StaleSince.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTimeout)
	defer cancel()
	p := newGatePatch(w)
	record := gateOf(w).left(p, snapshot, s.record, outcome != Overtaken).resting(s.Clock.Now(), string(outcome), causeOf(finding))
	_ = s.writeRecord(ctx, w, p, record) // the rollout stays at its step without the write, too
}

// noteHold writes into the record until when the step is held.
func (s *session) noteHold(ctx context.Context, w workload.Object, a noteHold) error {
	record := s.record.driven()
	record.HoldUntil = &a.until
	return s.writeRecord(ctx, w, newGatePatch(w), record)
}

// writeRecord makes a write that includes another record.
func (s *session) writeRecord(ctx context.Context, w workload.Object, p *patch, record *Record) error {
	record, err := s.signed(record, w)
	if err == nil {
		err = p.record(record)
	}
	if err != nil {
		return err
	}
	if err := s.write(ctx, p); err != nil {
		return err
	}
	s.record = record
	if s.known.generation == w.GetGeneration() {
		s.known.generation = s.written.GetGeneration() // this write is the only one in between, and it keeps the template
	}
	return nil
}
