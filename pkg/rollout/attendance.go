package rollout

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// idleAfter is how long the next move of an open rollout may be due before the rollout counts as orphaned. A driver that lives
// acts sooner.
const idleAfter = 15 * time.Second

// Attention is whether somebody looks after an open rollout: a driver, a holder, or nobody. The names are part of the JSON
// output.
type Attention string

// The values of Attention, as far as the cluster shows them.
const (
	// Driven means that nothing is overdue: somebody may be driving the rollout.
	Driven Attention = "driven"
	// Held means that somebody holds the rollout at its step.
	Held Attention = "held"
	// Left means that the rollout's driver has ended, and has written down why.
	Left Attention = "left"
	// Orphaned means that the rollout's driver would have gone on by now, and has not written down why it did not.
	Orphaned Attention = "orphaned"
	// Returning means that the old version returns.
	Returning Attention = "rolling-back"
)

// Attendance describes who looks after an open rollout, as far as the cluster shows. A living driver goes on soon after
// everything that it waits for has come. While that takes long, it gives signs of life. The record says until when the driver
// holds a step.
type Attendance struct {
	State Attention
	// Since is when the state began, or zero if that is not known.
	Since time.Time
	// Reason and Cause are those of the record's Rest. By is the field manager that wrote the record.
	Reason, Cause, By string
	// HoldUntil is when the hold of the step ends, or zero if no hold runs.
	HoldUntil time.Time
	// Next is when to look again, or zero if only a change in the cluster can alter the state.
	Next time.Time
}

// Abandoned reports whether nobody drives or holds the rollout any more.
func (a *Attendance) Abandoned() bool { return a.State == Left || a.State == Orphaned }

// text describes who looks after the rollout, as the end of a sentence about it.
func (a *Attendance) text() string {
	var text string
	switch a.State {
	case Held:
		text = ", where somebody holds it"
	case Left:
		text = ", where it was left standing"
	case Orphaned:
		text = ", and nobody has driven it on"
	case Driven:
		if text = ", which is driven"; !a.HoldUntil.IsZero() {
			text = ", which is watched until " + a.HoldUntil.UTC().Format(time.RFC3339)
		}
	case Returning:
		text = ", and the old version returns"
	}
	if !a.Since.IsZero() {
		text += " since " + a.Since.UTC().Format(time.RFC3339)
	}
	var why []string
	for _, part := range []string{a.Reason, a.Cause, a.By} {
		if part != "" && part != restHeld {
			why = append(why, part)
		}
	}
	if len(why) > 0 {
		text += " (" + strings.Join(why, ", ") + ")"
	}
	return text
}

// Text returns the sentence about a rollout that nobody drives on.
func (a *Attendance) Text() string {
	return "the rollout is open" + a.text()
}

// attendance judges an open rollout by its record. due is since when its driver has had something to do, or zero if the driver
// has nothing to do.
func (r *Record) attendance(w workload.Object, due, now time.Time) Attendance {
	switch {
	case r.RollingBack:
		return Attendance{State: Returning}
	case r.Held || r.Rest != nil:
		a := Attendance{State: Left, By: recordWriter(w)}
		if r.Held {
			a.State = Held
		}
		if rest := r.Rest; rest != nil {
			a.Since, a.Reason, a.Cause = rest.Since.Time, rest.Reason, rest.Cause
		}
		return a
	case !due.IsZero() && !now.Before(due.Add(idleAfter)):
		return Attendance{State: Orphaned, Since: due}
	}
	lost := r.lostAt(w)
	if !lost.IsZero() && !now.Before(lost) {
		return Attendance{State: Orphaned, Since: r.lastSign(w)}
	}
	a := Attendance{State: Driven, Next: lost}
	if !due.IsZero() {
		a.Next = earlierOf(due.Add(idleAfter), lost)
	}
	if hold := r.HoldUntil; hold != nil && now.Before(hold.Time) {
		a.HoldUntil = hold.Time
	}
	return a
}

// due returns since when, or from when on, the driver of an open rollout has something to do. It is zero while it is the
// controller's or the pods' turn.
func (s *Snapshot) due(record *Record, now time.Time) time.Time {
	version := s.version()
	if !s.StaleSince.IsZero() || workload.IsPaused(s.Workload) || version == nil {
		return time.Time{}
	}
	g := gateOf(s.Workload)
	last := record.lastMove(s.Workload, s.Pods, s.Gone, g.minReadySeconds(s.Workload, record))
	st, err := s.step(g, record, now)
	if err != nil || version.Number != record.ToRevision {
		return last
	}
	if !g.scaled(s) {
		return time.Time{}
	}
	done := g.done(st, false)
	return dueOf(record, done, last, now, func(record *Record, m memory) (action, memory) {
		if st.record = record; done {
			return st.next(m)
		}
		return g.advance(st, m)
	})
}

// dueOf returns when a driver that has seen everything up to its last move has to act. It calls decide with the memory of such
// a driver. done says that the step is complete.
func dueOf(record *Record, done bool, last, now time.Time, decide func(*Record, memory) (action, memory)) time.Time {
	asked, m := *record, memory{step: record.Step, progressAt: now, gainedAt: last}
	if hold := record.Plan.Hold.Duration; done && hold > 0 {
		end := last.Add(hold)
		if record.HoldUntil != nil {
			end = record.HoldUntil.Time
		}
		if now.Before(end) {
			return end
		}
		until := inSeconds(end)
		m.heldSince, asked.HoldUntil, last = until.Add(-hold), &until, later(last, end)
	}
	next, m := decide(&asked, m)
	if a, waits := next.(await); waits {
		return a.until // the driver itself waits until then, or for a change if that is zero
	}
	return later(last, m.stableBy)
}

// lastMove returns the time of the last change that an open rollout has made or waited for.
func (r *Record) lastMove(w workload.Object, pods, gone []*corev1.Pod, minReadySeconds int32) time.Time {
	last := later(r.StartedAt.Time, recordWritten(w))
	for _, pod := range pods {
		if ready, since := workload.ReadySince(pod); ready {
			last = later(last, since.Add(time.Duration(minReadySeconds)*time.Second))
		}
	}
	for _, pod := range gone {
		if at := pod.DeletionTimestamp; at != nil {
			asked := at.Time
			if grace := pod.DeletionGracePeriodSeconds; grace != nil {
				asked = asked.Add(-time.Duration(*grace) * time.Second)
			}
			last = later(last, asked)
		}
	}
	return last
}

// recordWritten returns when the record of a rollout was last written, or zero if that is not known.
func recordWritten(w workload.Object) (at time.Time) {
	for _, entry := range w.GetManagedFields() {
		if entry.Time != nil && entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+Annotation+`"`) {
			at = later(at, entry.Time.Time)
		}
	}
	return at
}

// recordWriter returns the field manager that wrote the record of a rollout, or "" if it is not known.
func recordWriter(w workload.Object) string {
	for _, entry := range w.GetManagedFields() {
		if entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+Annotation+`"`) {
			return entry.Manager
		}
	}
	return ""
}
