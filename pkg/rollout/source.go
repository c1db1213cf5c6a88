package rollout

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// deniedGrace is how long a right that was there before may be missing: an API server that restarts refuses requests
// until it has read its roles.
const deniedGrace = 20 * time.Second

// source keeps a Deployment, its ReplicaSets and its pods up to date by three watches.
type source struct {
	clock   clock.Clock
	changed chan struct{}
	watches []*watched
	stop    context.CancelFunc
	done    sync.WaitGroup
	// onCount is called after every single change of what pods there are or are wanted, and of which are ready, on the
	// goroutine that received it.
	onCount func()
}

// watched is one watch with what it has brought.
type watched struct {
	cache.Store
	source    *source
	reflector *cache.Reflector
	what      string

	mu          sync.Mutex
	synced      bool
	brokenSince time.Time
	deniedSince time.Time
	denied      error
}

// newSource prepares the watches; start begins and close ends them. Nothing is fetched but what belongs to the
// Deployment: it by its name, the others by its selector.
func newSource(client kubernetes.Interface, c clock.Clock, d *appsv1.Deployment, onCount func()) (*source, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("the selector of deployment %q does not parse: %w", d.Name, err)
	}
	s := &source{clock: c, changed: make(chan struct{}, 1), onCount: onCount}
	byName := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, d.Name).String()
	}
	byLabel := func(o *metav1.ListOptions) { o.LabelSelector = selector.String() }
	apps, core := client.AppsV1(), client.CoreV1()
	s.watch(client, "deployments", &appsv1.Deployment{}, listWatch(apps.Deployments(d.Namespace).List, apps.Deployments(d.Namespace).Watch, byName))
	s.watch(client, "replicasets", &appsv1.ReplicaSet{}, listWatch(apps.ReplicaSets(d.Namespace).List, apps.ReplicaSets(d.Namespace).Watch, byLabel))
	s.watch(client, "pods", &corev1.Pod{}, listWatch(core.Pods(d.Namespace).List, core.Pods(d.Namespace).Watch, byLabel))
	return s, nil
}

func listWatch[L runtime.Object](
	list func(context.Context, metav1.ListOptions) (L, error),
	watchFunc func(context.Context, metav1.ListOptions) (watch.Interface, error),
	narrow func(*metav1.ListOptions),
) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			narrow(&options)
			return list(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			narrow(&options)
			return watchFunc(ctx, options)
		},
	}
}

// watch prepares a reflector, which lists again after a lost watch or 410 Gone.
func (s *source) watch(client any, what string, kind runtime.Object, lw *cache.ListWatch) {
	w := &watched{Store: cache.NewStore(cache.MetaNamespaceKeyFunc), source: s, what: what}
	s.watches = append(s.watches, w)
	list, watchFunc := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		found, err := list(ctx, options)
		w.note(err)
		return found, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		events, err := watchFunc(ctx, options)
		if err == nil && reflect.TypeOf(events) == reflect.TypeOf(watch.NewEmptyWatch()) {
			// What client-go gives for a connection that ends before there is an answer, as behind a load balancer that
			// has lost its API servers.
			err = io.ErrUnexpectedEOF
		}
		w.note(err)
		return events, err
	}
	logger := logr.Discard()
	w.reflector = cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, client), kind, w, cache.ReflectorOptions{
		Logger:  &logger,
		Name:    what,
		Clock:   s.clock,
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Cap: 5 * time.Second, Steps: 25, Factor: 1.5, Jitter: 0.2},
	})
}

// start runs the reflectors. It comes after all of them are prepared, since each tells of its changes at once.
func (s *source) start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(klog.NewContext(ctx, logr.Discard()))
	for _, w := range s.watches {
		s.done.Go(func() { w.reflector.RunWithContext(ctx) })
	}
}

func (s *source) close() {
	s.stop()
	s.done.Wait()
}

func (s *source) notify() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// note keeps whether the API server answers, and whether it still lets us watch.
func (w *watched) note(err error) {
	w.mu.Lock()
	now := w.source.clock.Now()
	switch {
	case err == nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
		w.brokenSince, w.deniedSince, w.denied = time.Time{}, time.Time{}, nil
	default:
		if w.brokenSince.IsZero() {
			w.brokenSince = now
		}
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			if w.deniedSince.IsZero() {
				w.deniedSince = now
			}
			w.denied = err
		} else {
			w.deniedSince, w.denied = time.Time{}, nil
		}
	}
	w.mu.Unlock()
	w.source.notify()
}

// Add, Update, Delete and Replace are how the reflector hands on what it received.

// Add keeps an object that is new.
func (w *watched) Add(object any) error { return w.changed(w.Store.Add(object)) }

// Update keeps an object that has changed.
func (w *watched) Update(object any) error {
	before, _, _ := w.Get(object)
	err := w.Store.Update(object)
	if countOf(before) == countOf(object) {
		w.source.notify()
		return err
	}
	return w.changed(err)
}

// Delete drops an object.
func (w *watched) Delete(object any) error { return w.changed(w.Store.Delete(object)) }

// Replace keeps what a list brought.
func (w *watched) Replace(objects []any, version string) error {
	err := w.Store.Replace(objects, version)
	w.mu.Lock()
	w.synced = true
	w.mu.Unlock()
	return w.changed(err)
}

func (w *watched) changed(err error) error {
	if w.source.onCount != nil {
		w.source.onCount()
	}
	w.source.notify()
	return err
}

// counted is what an object adds to the counts of pods.
type counted struct {
	wanted        int32
	active, ready bool
	owner         types.UID
	generation    int64
}

func countOf(object any) counted {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return counted{generation: o.Generation}
	case *appsv1.ReplicaSet:
		return counted{wanted: sizeOf(o)}
	case *corev1.Pod:
		ready, _ := readySince(o)
		of := counted{active: isActive(o), ready: ready}
		if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
			of.owner = owner.UID
		}
		return of
	}
	return counted{}
}

// synced tells whether every watch has brought its first list.
func (s *source) synced() bool {
	for _, w := range s.watches {
		w.mu.Lock()
		synced := w.synced
		w.mu.Unlock()
		if !synced {
			return false
		}
	}
	return true
}

// err is a right that is missing, or that was lost for good.
func (s *source) err() error {
	for _, w := range s.watches {
		w.mu.Lock()
		denied, lost := w.denied, !w.synced || s.clock.Since(w.deniedSince) > deniedGrace
		w.mu.Unlock()
		if denied != nil && lost {
			return fmt.Errorf("the right to list and watch %s is missing: %w", w.what, denied)
		}
	}
	return nil
}

// staleSince is when the first watch broke that has not come back.
func (s *source) staleSince() time.Time {
	var since time.Time
	for _, w := range s.watches {
		w.mu.Lock()
		if !w.brokenSince.IsZero() {
			since = earlier(since, w.brokenSince)
		}
		w.mu.Unlock()
	}
	return since
}

// snapshot is what is known now.
func (s *source) snapshot() Snapshot {
	var d *appsv1.Deployment
	for _, found := range listOf[*appsv1.Deployment](s.watches[0]) {
		d = found
	}
	snapshot := NewSnapshot(d, listOf[*appsv1.ReplicaSet](s.watches[1]), listOf[*corev1.Pod](s.watches[2]))
	snapshot.StaleSince = s.staleSince()
	return snapshot
}

func listOf[T any](w *watched) []T {
	objects := w.List()
	typed := make([]T, 0, len(objects))
	for _, object := range objects {
		if o, ok := object.(T); ok {
			typed = append(typed, o)
		}
	}
	return typed
}
