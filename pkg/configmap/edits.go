package configmap

import (
	"maps"
	"slices"
	"time"
)

const (
	// patience is how many times the quiet time a burst of edits may last before what there is by then is taken.
	patience = 10
	// soonest and latest are how long an edit waits that could not be rolled out, the first time and the last.
	soonest, latest = 5 * time.Second, 5 * time.Minute
)

// Edits decides when the edits of heads are to be rolled out, by what the heads hold and what was rolled out before. An
// edit that is taken back before its time is none.
type Edits struct {
	// Quiet is how long nobody is to have edited anything before an edit is rolled out.
	Quiet time.Duration

	heads map[Object]*edited
	// first and last are when the present burst of edits began and went on.
	first, last time.Time
}

// edited is what is known of one head.
type edited struct {
	// present is what the head holds, nil while it is not there.
	present *Content
	// settled is what pods that tell nothing of themselves run with.
	settled *Content
	// unknown tells that it has not been looked at yet who runs with what.
	unknown bool
	// failed is what the head held when that could not be rolled out, with what other heads held that went along.
	failed *failure
	// takenBack tells that the head was given its settled content again, and unseen that it has not been seen so yet.
	takenBack, unseen bool
	tries             int
	after             time.Time
}

// failure is what was rolled out together, and failed. Which of the contents is to blame is not known.
type failure struct{ contents map[Object]*Content }

// Due tells whether a head is to be rolled out, now or later: somebody may not run with what it holds, and could.
func (e *Edits) Due(object Object) bool {
	h := e.heads[object]
	return h != nil && !h.unseen && (h.unknown || !Same(h.present, h.settled)) && !e.fails(h)
}

// fails tells whether a head holds what has failed, and all do that went along: alone, it may come good.
func (e *Edits) fails(h *edited) bool {
	if h.failed == nil {
		return false
	}
	for object, content := range h.failed.contents {
		if other := e.heads[object]; other == nil || other.failed != h.failed || !Same(other.present, content) {
			return false
		}
	}
	return true
}

// Observe takes in what the heads hold now; those that are not among them are not there. Those of the first time are
// taken as what everybody runs with.
func (e *Edits) Observe(now time.Time, present map[Object]*Content) {
	begun := e.heads != nil
	if !begun {
		e.heads = map[Object]*edited{}
	}
	for object, content := range present {
		if e.heads[object] == nil {
			e.heads[object] = &edited{settled: content, unknown: begun}
		}
	}
	var changed []Object
	for object, h := range e.heads {
		content := present[object]
		if Same(h.present, content) {
			continue
		}
		h.present, h.unseen, h.tries, h.after = content, false, 0, time.Time{}
		// Who gives the head back what was just taken from it, as tools do that hold on to a manifest, tells nothing new.
		if content != nil && h.failed != nil && !Same(content, h.failed.contents[object]) && (!h.takenBack || !Same(content, h.settled)) {
			h.failed, h.takenBack = nil, false
		}
		changed = append(changed, object)
	}
	// By what all of them hold now.
	for _, object := range changed {
		if begun && e.Due(object) {
			e.last = now
			if e.first.IsZero() {
				e.first = now
			}
		}
	}
}

// Look has a head looked at without an edit, be it one that is not there.
func (e *Edits) Look(object Object) {
	if e.heads[object] == nil {
		e.heads[object] = &edited{}
	}
	e.heads[object].unknown = true
}

// Take gives the heads that are to be rolled out now or, where there are none, when to ask again: never where that is zero.
func (e *Edits) Take(now time.Time) (ready []Object, again time.Time) {
	var quiet time.Time
	if !e.last.IsZero() {
		quiet = sooner(e.last.Add(e.Quiet), e.first.Add(patience*e.Quiet))
	}
	for _, object := range slices.SortedFunc(maps.Keys(e.heads), Object.Compare) {
		h := e.heads[object]
		if !e.Due(object) {
			continue
		}
		at := h.after
		if quiet.After(at) {
			at = quiet
		}
		if at.After(now) {
			again = sooner(again, at)
			continue
		}
		ready = append(ready, object)
	}
	if len(ready) > 0 {
		e.first, e.last, again = time.Time{}, time.Time{}, time.Time{}
	}
	return ready, again
}

// Burst reports whether somebody has edited a head since edits were last taken: what is taken next waits for the quiet time.
func (e *Edits) Burst() bool { return !e.last.IsZero() }

// sooner is the earlier of two moments, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Settled is what pods that tell nothing of themselves run with, nil where that is not known.
func (e *Edits) Settled(object Object) *Content { return e.heads[object].settled }

// Settle notes that everybody runs with a content, nil for none. A head that is not there is forgotten then.
func (e *Edits) Settle(object Object, content *Content) {
	h := e.heads[object]
	if content == nil && h.present == nil {
		delete(e.heads, object)
		return
	}
	*h = edited{present: h.present, settled: content}
}

// Fail notes that contents were rolled out together and failed. They are not rolled out together again until somebody gives
// one of the heads another one. Which heads were given back what they held before, and that, is told.
func (e *Edits) Fail(contents, back map[Object]*Content) {
	failed := &failure{contents: contents}
	for object := range contents {
		h := e.heads[object]
		if h == nil {
			continue
		}
		h.failed, h.takenBack, h.unseen = failed, false, false
		if held := back[object]; held != nil {
			h.settled, h.unknown, h.takenBack, h.unseen = held, false, true, !Same(h.present, held)
		}
	}
}

// Postpone notes that a head could not be rolled out now, and gives how long it waits.
func (e *Edits) Postpone(object Object, now time.Time) time.Duration {
	h := e.heads[object]
	wait := min(soonest<<min(h.tries, 10), latest)
	h.tries++
	h.after = now.Add(wait)
	return wait
}
