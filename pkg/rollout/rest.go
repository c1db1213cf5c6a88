package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// restTimeout bounds what is written when a command ends.
const restTimeout = 2 * time.Second

// Rest says since when and why nobody drives an open rollout. Whoever holds it writes that down, and so does a driver that
// ends in order. A driver that is killed cannot.
type Rest struct {
	Since metav1.Time `json:"since"`
	// Reason is held, or the outcome that the driver ended with.
	Reason string `json:"reason"`
	// Cause is the ID of what was found, where that ended it.
	Cause string `json:"cause,omitempty"`
}

// restHeld is the reason of who holds a rollout at its step.
const restHeld = "held"

// resting is the record of a rollout that is left standing from now on.
func (r *Record) resting(now time.Time, reason, cause string) *Record {
	resting := *r
	resting.HoldUntil, resting.Rest = nil, &Rest{Since: inSeconds(now), Reason: reason, Cause: cause}
	return &resting
}

// driven is the record of a rollout that somebody drives.
func (r *Record) driven() *Record {
	driven := *r
	driven.HoldUntil, driven.Rest = nil, nil
	return &driven
}

// hasFailed reports whether the driver of a rollout that was left standing has seen it fail.
func (r *Record) hasFailed() bool {
	return r.Rest != nil && r.Rest.Reason == string(Failed) && r.Rest.Cause != ""
}

// inSeconds is a moment as a record keeps it.
func inSeconds(at time.Time) metav1.Time { return metav1.NewTime(at.UTC().Truncate(time.Second)) }

// causeOf is the ID of a finding, empty where there is none.
func causeOf(finding *Finding) string {
	if finding == nil {
		return ""
	}
	return finding.ID
}

// rest leaves a rollout that stops being driven at rest, as well as it can, and notes why: it would stand where it is without
// that.
func (s *session) rest(ctx context.Context, snapshot *Snapshot, outcome Outcome, finding *Finding) {
	if s.phase != stepping || s.state != Open || s.record == nil || s.record.Held || snapshot.Deployment == nil || !snapshot.StaleSince.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTimeout)
	defer cancel()
	d, record := snapshot.Deployment, s.record.taking(snapshot.Deployment)
	p := newGatePatch(d)
	if gate, lower := s.record.atRest(snapshot); lower && outcome != Overtaken {
		record.opens(gate.Strategy(replicasOf(d), record.Plan.Limits))
		p.settings(record.inForce(d))
	}
	record = record.resting(s.Clock.Now(), string(outcome), causeOf(finding))
	_ = s.writeRecord(ctx, d, p, record) // it stands without that
}

// rest is the same of a StatefulSet or DaemonSet, which stand still by themselves.
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

// noteHold writes down until when the step is held.
func (s *session) noteHold(ctx context.Context, d *appsv1.Deployment, a noteHold) error {
	record := s.record.driven()
	record.HoldUntil = &a.until
	return s.writeRecord(ctx, d, newGatePatch(d), record)
}

// writeRecord makes a write that carries another record.
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
