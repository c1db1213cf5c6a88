package watch

import (
	"maps"
	"slices"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

const (
	// patience limits a burst of edits to this many quiet times. After that the present content is taken even if edits go on.
	patience = 10
	// soonest and latest are the shortest and the longest wait after an edit could not be rolled out. The wait doubles each
	// time.
	soonest, latest = 5 * time.Second, 5 * time.Minute
)

// Edits decides when to roll out edits of objects. It compares what the objects hold with what was rolled out before. An edit
// that is taken back in time is ignored.
type Edits struct {
	// Quiet is how long an object must stay unedited before an edit is rolled out.
	Quiet time.Duration

	heads map[configmap.Object]*edited
	// first and last are the times of the first and the latest edit of the present burst.
	first, last time.Time
}

// edited is the state of one object.
type edited struct {
	// present is what the object holds, or nil while it does not exist.
	present *configmap.Content
	// settled is what pods without a record of their configuration run with.
	settled *configmap.Content
	// unknown says that nobody has checked yet which pods run with what.
	unknown bool
	// failed is the rollout that failed with a content of this object, together with those of other objects.
	failed *failure
	// takenBack says that the object was given its settled content again. unseen says that this write has not been observed
	// yet.
	takenBack, unseen bool
	tries             int
	after             time.Time
}

// failure holds the contents that were rolled out together and failed. Any of them may be to blame.
type failure struct {
	contents map[configmap.Object]*configmap.Content
}

// Due reports whether an object needs a rollout, now or later. It does if some pods may run with other content, unless its
// present content is known to fail.
func (e *Edits) Due(object configmap.Object) bool {
	h := e.heads[object]
	return h != nil && !h.unseen && (h.unknown || !configmap.Same(h.present, h.settled)) && !e.fails(h)
}

// fails reports whether all objects of a failed rollout still hold what they held in it. With different content in one of them,
// the others may succeed.
func (e *Edits) fails(h *edited) bool {
	if h.failed == nil {
		return false
	}
	for object, content := range h.failed.contents {
		if other := e.heads[object]; other == nil || other.failed != h.failed || !configmap.Same(other.present, content) {
			return false
		}
	}
	return true
}

// Observe records what the objects hold now. Objects missing from present do not exist. The first call takes each content as
// what all pods run with.
func (e *Edits) Observe(now time.Time, present map[configmap.Object]*configmap.Content) {
	begun := e.heads != nil
	if !begun {
		e.heads = map[configmap.Object]*edited{}
	}
	for object, content := range present {
		if e.heads[object] == nil {
			e.heads[object] = &edited{settled: content, unknown: begun}
		}
	}
	var changed []configmap.Object
	for object, h := range e.heads {
		content := present[object]
		if configmap.Same(h.present, content) {
			continue
		}
		h.present, h.unseen, h.tries, h.after = content, false, 0, time.Time{}
		// A tool that holds on to a manifest may write the failed content again after it was taken back. Neither that write nor
		// the take-back is a new edit.
		if content != nil && h.failed != nil && !configmap.Same(content, h.failed.contents[object]) && (!h.takenBack || !configmap.Same(content, h.settled)) {
			h.failed, h.takenBack = nil, false
		}
		changed = append(changed, object)
	}
	// Due depends on the present content of all objects, so it is called only after all are updated.
	for _, object := range changed {
		if begun && e.Due(object) {
			e.last = now
			if e.first.IsZero() {
				e.first = now
			}
		}
	}
}

// Look marks an object as due for a check without an edit, even if the object does not exist.
func (e *Edits) Look(object configmap.Object) {
	if e.heads[object] == nil {
		e.heads[object] = &edited{}
	}
	e.heads[object].unknown = true
}

// Take returns the objects to roll out now. If there are none, again is when to call Take next, or zero for never.
func (e *Edits) Take(now time.Time) (ready []configmap.Object, again time.Time) {
	var quiet time.Time
	if !e.last.IsZero() {
		quiet = sooner(e.last.Add(e.Quiet), e.first.Add(patience*e.Quiet))
	}
	for _, object := range slices.SortedFunc(maps.Keys(e.heads), configmap.Object.Compare) {
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

// Burst reports whether an object was edited since Take last returned objects. The next ones wait for the quiet time.
func (e *Edits) Burst() bool { return !e.last.IsZero() }

// sooner returns the earlier of two times, where zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Settled returns what pods without a record of their configuration run with, or nil if that is not known.
func (e *Edits) Settled(object configmap.Object) *configmap.Content { return e.heads[object].settled }

// Settle records that all pods run with a content, or without the object if the content is nil. An object that does not exist
// is forgotten then.
func (e *Edits) Settle(object configmap.Object, content *configmap.Content) {
	h := e.heads[object]
	if content == nil && h.present == nil {
		delete(e.heads, object)
		return
	}
	*h = edited{present: h.present, settled: content}
}

// Fail records that contents were rolled out together and failed. They are not rolled out together again until somebody edits
// one of the objects. back holds the former contents of the objects that were given them again.
func (e *Edits) Fail(contents, back map[configmap.Object]*configmap.Content) {
	failed := &failure{contents: contents}
	for object := range contents {
		h := e.heads[object]
		if h == nil {
			continue
		}
		h.failed, h.takenBack, h.unseen = failed, false, false
		if held := back[object]; held != nil {
			h.settled, h.unknown, h.takenBack, h.unseen = held, false, true, !configmap.Same(h.present, held)
		}
	}
}

// Postpone records that an object could not be rolled out now. It returns how long the object waits.
func (e *Edits) Postpone(object configmap.Object, now time.Time) time.Duration {
	h := e.heads[object]
	wait := min(soonest<<min(h.tries, 10), latest)
	h.tries++
	h.after = now.Add(wait)
	return wait
}
