package informer

import (
	"slices"
	"time"
)

const (
	// relistAfter is how long a watch may deliver nothing before the session lists in addition. Each list that finds
	// nothing new doubles the time, up to relistRarely. A watch that works is never quiet for as long as relistRarely:
	// its bookmarks come about once a minute.
	relistAfter  = 5 * time.Second
	relistRarely = 16 * relistAfter
	// relistOften is the time between two lists while they find what the watch does not deliver.
	relistOften = 2 * time.Second
	// relistGrace is how long a watch may lag behind a list.
	relistGrace = 2 * time.Second
	// relistTimeout bounds one list.
	relistTimeout = 10 * time.Second
)

// quiet measures how long a watch has delivered nothing, and keeps the consequences.
type quiet struct {
	// asked is when the present watch was requested, whether it is open or not yet answered. It is zero if there is no
	// watch.
	asked time.Time
	// brought is when the watch last delivered anything. count is how often it has delivered.
	brought time.Time
	count   int64
	// relisted is the time of the last list beside the watch. interval is how long the watch may be quiet until the
	// next one.
	relisted time.Time
	interval time.Duration
	// heldBack is set while lists find what the watch does not deliver. everHeldBack is set once that was so.
	heldBack, everHeldBack bool
}

// due returns when to list beside the watch. It returns zero if no watch is open and lists do not take its place. The
// interval does not grow for a watch that has yet to deliver the existing objects.
func (q *quiet) due(incomplete bool) time.Time {
	if q.asked.IsZero() && !q.heldBack {
		return time.Time{}
	}
	interval := q.interval
	if incomplete && !q.heldBack {
		interval = relistAfter
	}
	return slices.MaxFunc([]time.Time{q.asked, q.brought, q.relisted}, time.Time.Compare).Add(interval)
}

// found records the result of a list. isNew means that the list found something that the watch had not delivered.
func (q *quiet) found(isNew bool, now time.Time) {
	q.relisted = now
	switch {
	case isNew:
		q.heldBack, q.everHeldBack, q.interval = true, true, relistOften
	case q.heldBack:
		q.interval = min(2*q.interval, relistAfter)
	default:
		q.interval = min(2*q.interval, relistRarely)
	}
}

// delivered records that the watch has delivered something. isNew means that no list knew it before, which proves that
// the watch works.
func (q *quiet) delivered(isNew bool, now time.Time) {
	q.brought = now
	q.count++
	if isNew && q.heldBack {
		q.heldBack, q.interval = false, relistAfter
	}
}
