package rollout

import (
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// silentAfter is how long a controller may take to act on a change before the session warns about it. A controller
// takes far less, except that a controller manager that takes over from another one takes some 15 s.
const silentAfter = 5 * time.Second

// unobservedSince returns when the change was written that a workload's controller has yet to act on, or zero if there
// is none.
func unobservedSince(w workload.Object) time.Time {
	if workload.ObservedGenerationOf(w) >= w.GetGeneration() {
		return time.Time{}
	}
	return lastChange(w)
}

// lastChange returns when somebody other than the controllers last wrote a workload, in full seconds. Scaling through
// the subresource counts, even by a controller. The result may be too early: managedFields do not show a write that
// only removes fields.
func lastChange(workload workload.Object) time.Time {
	last := workload.GetCreationTimestamp().Time
	for _, entry := range workload.GetManagedFields() {
		scales := entry.Subresource == "scale"
		writes := entry.Subresource == "" && entry.Manager != fieldmanager.ControllerManager
		if (scales || writes) && entry.Time != nil {
			last = later(last, entry.Time.Time)
		}
	}
	return last
}

// certainAfter is how long a session has to see a change wait before it warns, however old the change looks. The field
// managers of a workload do not show the time of a write that only removed fields.
const certainAfter = 2 * time.Second

// attention is how a session sees a controller act on changes: the generation acted on last, since when a newer one waits,
// and from when on a warning about it is certain.
type attention struct {
	watched  bool
	observed int64
	since    time.Time
	certain  time.Time
}

// follow returns the attention after a look at a workload. A change that comes while the session watches counts as made
// at the time of that look, at the earliest.
func (a attention) follow(w workload.Object, now time.Time) attention {
	observed, since, certain := workload.ObservedGenerationOf(w), unobservedSince(w), now.Add(certainAfter)
	switch {
	case since.IsZero():
		certain = time.Time{}
	case !a.since.IsZero() && a.observed == observed:
		since, certain = a.since, a.certain
	case a.watched:
		since = later(since, now)
	}
	return attention{watched: true, observed: observed, since: since, certain: certain}
}

// silence returns a message about how long a controller has not acted.
func silence(w workload.Object, since, now time.Time) string {
	return fmt.Sprintf("its controller has not acted on the last change for %s (generation %d, observed %d); the controller manager may not run",
		now.Sub(since).Truncate(time.Second), w.GetGeneration(), workload.ObservedGenerationOf(w))
}

// warnSilent emits a warning once if a workload's controller does not act. It returns when to look again, or zero for
// never.
func (s *session) warnSilent(w workload.Object) time.Time {
	now := s.Clock.Now()
	s.attention = s.attention.follow(w, now)
	since := s.attention.since
	if since.IsZero() {
		return time.Time{}
	}
	if due := later(since.Add(silentAfter), s.attention.certain); now.Before(due) {
		return due
	}
	object := diagnose.Object{Kind: workload.KindOf(w), Name: w.GetName()}
	finding := diagnose.Known(diagnose.ControllerSilent, object, w.GetNamespace(), silence(w, since, now))
	finding.Severity = diagnose.Warning
	s.warn(&diagnose.Report{Findings: []Finding{*finding}})
	return time.Time{}
}

// earlierOf returns the earlier of two moments. Zero means never.
func earlierOf(a, b time.Time) time.Time {
	if b.IsZero() {
		return a
	}
	return earlier(a, b)
}

// earlier returns the earlier of two moments. Zero means never, for a only.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
