package rollout

import "time"

const (
	// relistAfter is how long a watch may bring nothing before a list looks beside it. Each list that finds nothing new doubles
	// the time, up to relistRarely: the bookmarks of a watch that works come more often than that, about once a minute.
	relistAfter  = 5 * time.Second
	relistRarely = 16 * relistAfter
	// relistOften is the time between two lists while they find what the watch does not bring.
	relistOften = 2 * time.Second
	// relistGrace is how long a watch may be behind a list.
	relistGrace = 2 * time.Second
	// relistTimeout bounds one list.
	relistTimeout = 10 * time.Second
)

// quiet measures how long a watch has brought nothing, and keeps what that led to.
type quiet struct {
	// asked is when the watch was asked for that is open or has yet to be answered; zero where there is none.
	asked time.Time
	// brought is when it last brought anything, and count counts how often it did.
	brought time.Time
	count   int64
	// relisted is when a list looked beside it, and interval how long the quiet may last until the next one does.
	relisted time.Time
	interval time.Duration
	// heldBack tells that lists find what the watch does not bring, and everHeldBack that it was so once.
	heldBack, everHeldBack bool
}

// due returns when a list is to look beside the watch, zero where no watch is open. A watch that has yet to bring what there is
// is not given longer and longer.
func (q *quiet) due(incomplete bool) time.Time {
	if q.asked.IsZero() && !q.heldBack {
		return time.Time{}
	}
	interval := q.interval
	if incomplete && !q.heldBack {
		interval = relistAfter
	}
	return later(later(q.asked, q.brought), q.relisted).Add(interval)
}

// found keeps what a list came to.
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

// delivered keeps that the watch has brought something. What no list knew before shows that it works.
func (q *quiet) delivered(isNew bool, now time.Time) {
	q.brought = now
	q.count++
	if isNew && q.heldBack {
		q.heldBack, q.interval = false, relistAfter
	}
}
