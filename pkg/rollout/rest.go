package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	if s.phase != stepping || s.state != Open || s.record == nil || s.record.Held || snapshot.Workload == nil || !snapshot.StaleSince.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTimeout)
	defer cancel()
	d, record := snapshot.deployment(), s.record.taking(snapshot.deployment())
	p := newGatePatch(d)
	if gate, lower := s.record.atRest(snapshot); lower && outcome != Overtaken {
		record.opens(gate.Strategy(replicasOf(d), record.Plan.Limits))
		p.settings(record.inForce(d))
	}
	record = record.resting(s.Clock.Now(), string(outcome), causeOf(finding))
	_ = s.writeRecord(ctx, d, p, record) // the rollout stays at its step without the write, too
}

// rest is the same for a StatefulSet or DaemonSet, which stay at their step by themselves.
func (s *otherSession) rest(ctx context.Context, outcome Outcome, finding *Finding) {
	workload := s.source.workload()
	if s.phase != stepping || s.state != Open || s.record == nil || s.record.Held || workload == nil || !s.source.staleSince().IsZero() {
		return
	}
	if s.latest != nil {
		workload = s.latest
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTimeout)
	defer cancel()
	record, err := s.signed(s.record.resting(s.Clock.Now(), string(outcome), causeOf(finding)), workload)
	p := newGatePatch(workload)
	if err == nil && p.record(record) == nil && s.write(ctx, workload, p) == nil {
		s.record = record
	}
}

// noteHold writes into the record until when the step is held.
func (s *session) noteHold(ctx context.Context, d *appsv1.Deployment, a noteHold) error {
	record := s.record.driven()
	record.HoldUntil = &a.until
	return s.writeRecord(ctx, d, newGatePatch(d), record)
}

// writeRecord makes a write that includes another record.
func (s *session) writeRecord(ctx context.Context, d *appsv1.Deployment, p *patch, record *Record) error {
	record, err := s.signed(record, d)
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
	return nil
}
