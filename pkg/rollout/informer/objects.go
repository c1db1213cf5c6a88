package informer

import (
	"context"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// DeniedGrace is how long a right that was there before may be missing. An API server that restarts refuses requests
// until it has read its roles.
const DeniedGrace = 20 * time.Second

// Objects is a set of objects that watches keep up to date. The watches survive lost connections, API servers that
// restart, and expired resource versions. Add the watches first, then start them, and close them at the end.
type Objects struct {
	clock   clock.Clock
	changed chan struct{}
	watches []*watched
	stop    context.CancelFunc
	done    sync.WaitGroup
	// onCount is called after every single change of which pods exist, are wanted, or are ready. It runs on the
	// goroutine that received the change.
	onCount func()
}

// NewObjects returns an empty set without watches. If onCount is not nil, it is called after every single change of which
// pods exist, are wanted, or are ready, on the goroutine that received the change.
func NewObjects(c clock.Clock, onCount func()) *Objects {
	return &Objects{clock: c, changed: make(chan struct{}, 1), onCount: onCount}
}

// Read returns a set of objects that were read already, in the order of their kinds. Nothing keeps them up to date but
// their owner.
func Read(c clock.Clock, kinds ...cache.Store) *Objects {
	o := NewObjects(c, nil)
	for _, objects := range kinds {
		o.watches = append(o.watches, &watched{Store: objects, objects: o, synced: true, watch: permission{known: true, had: true}})
	}
	return o
}

// Lenient makes all watches optional except the first.
func (o *Objects) Lenient() {
	for _, w := range o.watches[1:] {
		w.optional = true
	}
}

// Watch prepares a reflector, which lists again after a lost watch or 410 Gone.
func (o *Objects) Watch(client any, what string, kind runtime.Object, lw *cache.ListWatch) {
	w := &watched{
		Store: cache.NewStore(cache.MetaNamespaceKeyFunc), objects: o, what: what, lister: lw.ListWithContextFunc,
		quiet: quiet{interval: relistAfter},
	}
	o.watches = append(o.watches, w)
	list, watchFunc := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		if w.broken() {
			options.ResourceVersion = "" // the newest version, which a server's cache may not have yet
		}
		found, err := list(ctx, options)
		w.note(&w.list, err)
		return found, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		if w.broken() {
			if options.SendInitialEvents == nil {
				return nil, apierrors.NewResourceExpired("the connection was lost: what there is now comes first")
			}
			options.ResourceVersion = ""
		}
		w.open()
		events, err := watchFunc(ctx, options)
		if err == nil && reflect.TypeOf(events) == reflect.TypeOf(watch.NewEmptyWatch()) {
			// client-go returns an empty watch if a connection ends before there is an answer, as behind a load
			// balancer that has lost its API servers.
			err = io.ErrUnexpectedEOF
		}
		w.note(&w.watch, err)
		return events, err
	}
	logger := logr.Discard()
	w.reflector = cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, client), kind, w, cache.ReflectorOptions{
		Logger:  &logger,
		Name:    what,
		Clock:   o.clock,
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Cap: 5 * time.Second, Steps: 25, Factor: 1.5, Jitter: 0.2},
	})
}

// Start runs the reflectors. All watches must be prepared before, since each reflector reports its changes at once.
func (o *Objects) Start(ctx context.Context) {
	ctx, o.stop = context.WithCancel(klog.NewContext(ctx, logr.Discard()))
	for _, w := range o.watches {
		watching, cancel := context.WithCancel(ctx)
		w.cancel = cancel
		o.done.Go(func() {
			defer cancel()
			w.reflector.RunWithContext(watching)
		})
		o.done.Go(func() { w.relistBeside(watching) })
	}
}

// Close ends all watches, and returns when they have ended.
func (o *Objects) Close() {
	o.stop()
	o.done.Wait()
}

func (o *Objects) notify() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// Synced reports whether every watch has delivered its first list and may go on from there, or never will.
func (o *Objects) Synced() bool {
	for _, w := range o.watches {
		w.mu.Lock()
		synced := w.synced && (w.watch.had || w.quiet.heldBack) || w.hopeless != nil
		w.mu.Unlock()
		if !synced {
			return false
		}
	}
	return true
}

// Sync waits until every watch has delivered the existing objects.
func (o *Objects) Sync(ctx context.Context) error {
	for !o.Synced() {
		if err := o.Err(); err != nil {
			return err
		}
		if err := o.Sleep(ctx, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// Err returns an error if a right is missing from the beginning, or was lost for good.
func (o *Objects) Err() error {
	for _, w := range o.watches {
		w.mu.Lock()
		err := w.lacks(o.clock.Now())
		if !w.synced && w.credentials != nil {
			err = w.credentials // without credentials at the beginning, waiting does not help
		}
		w.mu.Unlock()
		if err != nil && !w.optional {
			return err
		}
	}
	return nil
}

// Missing returns the error about the first right of an optional watch that is missing, or nil.
func (o *Objects) Missing() error {
	for _, w := range o.watches {
		if err := w.missing(); err != nil {
			return err
		}
	}
	return nil
}

// StaleSince returns when the first of the broken watches broke, or zero if none is broken.
func (o *Objects) StaleSince() time.Time {
	var since time.Time
	for _, w := range o.watches {
		w.mu.Lock()
		if broken := w.brokenSince; !broken.IsZero() && w.hopeless == nil && (since.IsZero() || broken.Before(since)) {
			since = broken
		}
		w.mu.Unlock()
	}
	return since
}

// Sleep returns at the next change, at the moment until unless it is zero, or with the context's cause.
func (o *Objects) Sleep(ctx context.Context, until time.Time) error {
	var alarm <-chan time.Time
	if !until.IsZero() {
		timer := o.clock.NewTimer(until.Sub(o.clock.Now()))
		defer timer.Stop()
		alarm = timer.C()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-o.changed:
	case <-alarm:
	}
	return nil
}

// Stale reports whether a watch is broken at present.
func (o *Objects) Stale() bool { return !o.StaleSince().IsZero() }

// List returns the objects of one watch. The watches count from 0, in the order in which they were added.
func (o *Objects) List(number int) []any { return o.watches[number].List() }

// Each calls see with every object. The objects must not be changed.
func (o *Objects) Each(see func(any)) {
	for _, w := range o.watches {
		for _, object := range w.List() {
			see(object)
		}
	}
}
