package rollout

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// idleAfter is how long after the last change somebody who drives a rollout would have gone on.
const idleAfter = 15 * time.Second

// Attention is whether somebody looks after an open rollout. The names are part of the JSON output.
type Attention string

// What the cluster shows of who looks after an open rollout.
const (
	// Driven means that nothing is overdue: somebody may be driving the rollout.
	Driven Attention = "driven"
	// Held means that somebody holds the rollout at its step.
	Held Attention = "held"
	// Left means that its driver has ended, and has written down why.
	Left Attention = "left"
	// Orphaned means that whoever drove it would have gone on by now.
	Orphaned Attention = "orphaned"
	// Returning means that the old version returns.
	Returning Attention = "rolling-back"
)

// Attendance is who looks after an open rollout, as far as the cluster shows. Nobody writes a sign of life: a driver that lives
// goes on soon after all that it waits for has come, and the rollout's record tells how long it waits for nothing.
type Attendance struct {
	State Attention
	// Since is zero where it is not known.
	Since time.Time
	// Reason and Cause are those of the record's Rest, By is the field manager that wrote it.
	Reason, Cause, By string
	// HoldUntil is when the hold of the step ends, zero where none runs.
	HoldUntil time.Time
	// Next is when to look again, zero where a change tells.
	Next time.Time
}

// Abandoned reports whether nobody goes on with the rollout by itself.
func (a *Attendance) Abandoned() bool { return a.State == Left || a.State == Orphaned }

// text says who looks after the rollout, as the rest of a sentence about it.
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
		if !a.HoldUntil.IsZero() {
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

// Text is the sentence about a rollout that nobody goes on with.
func (a *Attendance) Text() string {
	return "the rollout is open" + a.text()
}

// attendance judges an open rollout by its record, and by since when a driver has had something to do, zero where it has not.
func (r *Record) attendance(w Workload, due, now time.Time) Attendance {
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
	a := Attendance{State: Driven}
	if !due.IsZero() {
		a.Next = due.Add(idleAfter)
	}
	if hold := r.HoldUntil; hold != nil && now.Before(hold.Time) {
		a.HoldUntil = hold.Time
	}
	return a
}

// Due is since when, or from when on, whoever drives an open rollout of a Deployment has something to do: zero where the
// controller and the pods have.
func (s *Snapshot) due(record *Record, now time.Time) time.Time {
	d, current := s.Deployment, s.Current()
	if !s.StaleSince.IsZero() || d.Spec.Paused || !s.Observed() || current == nil || RevisionOf(current) != RevisionOf(d) {
		return time.Time{}
	}
	last := record.lastMove(d, s.Pods, s.Gone, record.Wanted().MinReadySeconds)
	limits, err := record.Plan.Limits.At(replicasOf(d))
	if err != nil || RevisionOf(d) != record.ToRevision {
		return last
	}
	if !s.scaled() {
		return time.Time{}
	}
	st := s.stepper(record, current, limits, now)
	return dueOf(record, st.done(), last, now, func(record *Record, m memory) (action, memory) {
		if st.record = record; st.done() {
			return st.next(m)
		}
		return st.advance(m)
	})
}

// due is the same of a StatefulSet or DaemonSet.
func (o *other) due(record *Record, gone []*corev1.Pod, now time.Time) time.Time {
	if !o.staleSince.IsZero() || o.newest == nil {
		return time.Time{}
	}
	last := record.lastMove(o.workload, o.pods, gone, o.minReadySeconds())
	if o.newest.Revision != record.ToRevision {
		return last
	}
	st := o.stepper(record, now)
	done := st.done(false)
	return dueOf(record, done, last, now, func(record *Record, m memory) (action, memory) {
		if st.record = record; done {
			return st.next(m)
		}
		return st.advance(), m
	})
}

// dueOf asks what a driver does that has seen all there was up to its last move.
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
		return a.until // until then for nothing but that
	}
	return later(last, m.settledBy)
}

// lastMove is the last change that an open rollout has made or waited for.
func (r *Record) lastMove(w Workload, pods, gone []*corev1.Pod, minReadySeconds int32) time.Time {
	last := later(r.StartedAt.Time, recordWritten(w))
	for _, pod := range pods {
		if ready, since := readySince(pod); ready {
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

// recordWritten is when the record of a rollout was written last, zero where that is not known.
func recordWritten(w Workload) (at time.Time) {
	for _, entry := range w.GetManagedFields() {
		if entry.Time != nil && entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+Annotation+`"`) {
			at = later(at, entry.Time.Time)
		}
	}
	return at
}

// recordWriter is the field manager that has written the record of a rollout, empty where it is not known.
func recordWriter(w Workload) string {
	for _, entry := range w.GetManagedFields() {
		if entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+Annotation+`"`) {
			return entry.Manager
		}
	}
	return ""
}
