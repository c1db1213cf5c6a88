package rollout

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

// Objects are kept up to date by watches that survive lost connections, API servers that restart, and versions that are
// gone. The watches are added first, then started, and closed at the end.
type Objects struct{ source *source }

// NewObjects keeps nothing yet.
func NewObjects(c clock.Clock) *Objects {
	return &Objects{source: &source{clock: c, changed: make(chan struct{}, 1)}}
}

// Watch adds the watch of one kind.
func (o *Objects) Watch(client any, what string, kind runtime.Object, calls *cache.ListWatch) {
	o.source.watch(client, what, kind, calls)
}

// Start begins all watches, and waits until each has brought what there is.
func (o *Objects) Start(ctx context.Context) error {
	o.source.start(ctx)
	return o.source.sync(ctx)
}

// Close ends all watches, and returns when that is done.
func (o *Objects) Close() { o.source.close() }

// Err is a right that is missing for good.
func (o *Objects) Err() error { return o.source.err() }

// Stale tells whether a watch is broken at present.
func (o *Objects) Stale() bool { return !o.source.staleSince().IsZero() }

// HeldBack returns the resources whose watches do not bring what lists find.
func (o *Objects) HeldBack() []string { return o.source.heldBack() }

// Sleep returns at the next change of anything, at the moment until where it is set, or with the context's cause.
func (o *Objects) Sleep(ctx context.Context, until time.Time) error {
	return o.source.sleep(ctx, until)
}

// Each gives all objects, which must not be changed.
func (o *Objects) Each(see func(any)) {
	for _, w := range o.source.watches {
		for _, object := range w.List() {
			see(object)
		}
	}
}
