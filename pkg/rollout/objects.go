package rollout

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

// Objects is a set of objects that watches keep up to date. The watches survive lost connections, API servers that
// restart, and expired resource versions. Add the watches first, then start them, and close them at the end.
type Objects struct{ source *source }

// NewObjects returns an empty set without watches.
func NewObjects(c clock.Clock) *Objects {
	return &Objects{source: &source{clock: c, changed: make(chan struct{}, 1)}}
}

// Watch adds the watch of one kind. Messages name the resource as what.
func (o *Objects) Watch(client any, what string, kind runtime.Object, calls *cache.ListWatch) {
	o.source.watch(client, what, kind, calls)
}

// Start begins all watches, and waits until each has delivered the existing objects.
func (o *Objects) Start(ctx context.Context) error {
	o.source.start(ctx)
	return o.source.sync(ctx)
}

// Close ends all watches, and returns when they have ended.
func (o *Objects) Close() { o.source.close() }

// Err returns an error if a right is missing for good.
func (o *Objects) Err() error { return o.source.err() }

// Stale reports whether a watch is broken at present.
func (o *Objects) Stale() bool { return !o.source.staleSince().IsZero() }

// HeldBack returns the resources whose watches do not deliver what lists find.
func (o *Objects) HeldBack() []string { return o.source.heldBack() }

// Sleep returns at the next change of anything, at the moment until unless it is zero, or with the context's cause.
func (o *Objects) Sleep(ctx context.Context, until time.Time) error {
	return o.source.sleep(ctx, until)
}

// Each calls see with every object. The objects must not be changed.
func (o *Objects) Each(see func(any)) {
	for _, w := range o.source.watches {
		for _, object := range w.List() {
			see(object)
		}
	}
}
