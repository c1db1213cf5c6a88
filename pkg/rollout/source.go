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
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// deniedGrace is how long a right that was there before may be missing. An API server that restarts refuses requests
// until it has read its roles.
const deniedGrace = 20 * time.Second

// source keeps a workload, its pods, and any ReplicaSets between them up to date by watches.
type source struct {
	clock   clock.Clock
	changed chan struct{}
	watches []*watched
	stop    context.CancelFunc
	done    sync.WaitGroup
	// onCount is called after every single change of which pods exist, are wanted, or are ready. It runs on the
	// goroutine that received the change.
	onCount func()
}

// newSource prepares the watches. The methods start and close begin and end them. It watches only what belongs to the
// workload, a Deployment, StatefulSet or DaemonSet: the workload by its name, the other objects by its selector.
func newSource(client kubernetes.Interface, c clock.Clock, w workload.Object, onCount func()) (*source, error) {
	namespace, name := w.GetNamespace(), w.GetName()
	byName := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	}
	s := &source{clock: c, changed: make(chan struct{}, 1), onCount: onCount}
	of := workload.Of(w)
	own := kube.Workloads(client, of.Kind, namespace)
	if own == nil {
		return nil, fmt.Errorf("no rollout is known of %T", w)
	}
	s.watch(client, workload.ResourceOf(w)+"s", workload.New(of.Kind), ListWatch(own.List, own.Watch, byName))
	selector, err := metav1.LabelSelectorAsSelector(workload.SelectorOf(w))
	if err != nil {
		return nil, fmt.Errorf("the selector of %s %q does not parse: %w", workload.ResourceOf(w), name, err)
	}
	byLabel := func(o *metav1.ListOptions) { o.LabelSelector = selector.String() }
	if of.HasReplicaSets {
		sets := client.AppsV1().ReplicaSets(namespace)
		s.watch(client, "replicasets", &appsv1.ReplicaSet{}, ListWatch(sets.List, sets.Watch, byLabel))
	}
	pods := client.CoreV1().Pods(namespace)
	s.watch(client, "pods", &corev1.Pod{}, ListWatch(pods.List, pods.Watch, byLabel))
	return s, nil
}

// lenient makes all watches optional except the one of the workload itself.
func (s *source) lenient() {
	for _, w := range s.watches[1:] {
		w.optional = true
	}
}

// ListWatch returns the list and watch calls of a typed client, narrowed to some objects.
func ListWatch[L runtime.Object](
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
	w := &watched{Store: cache.NewStore(cache.MetaNamespaceKeyFunc), source: s, what: what, lister: lw.ListWithContextFunc, quiet: quiet{interval: relistAfter}}
	s.watches = append(s.watches, w)
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
		Clock:   s.clock,
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Cap: 5 * time.Second, Steps: 25, Factor: 1.5, Jitter: 0.2},
	})
}

// start runs the reflectors. All watches must be prepared before, since each reflector reports its changes at once.
func (s *source) start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(klog.NewContext(ctx, logr.Discard()))
	for _, w := range s.watches {
		watching, cancel := context.WithCancel(ctx)
		w.cancel = cancel
		s.done.Go(func() {
			defer cancel()
			w.reflector.RunWithContext(watching)
		})
		s.done.Go(func() { w.relistBeside(watching) })
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

// synced reports whether every watch has delivered its first list and may go on from there, or never will.
func (s *source) synced() bool {
	for _, w := range s.watches {
		w.mu.Lock()
		synced := w.synced && (w.watch.had || w.quiet.heldBack) || w.hopeless != nil
		w.mu.Unlock()
		if !synced {
			return false
		}
	}
	return true
}

// sync waits until every watch has delivered the existing objects.
func (s *source) sync(ctx context.Context) error {
	for !s.synced() {
		if err := s.err(); err != nil {
			return err
		}
		if err := s.sleep(ctx, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// err returns an error if a right is missing from the beginning, or was lost for good.
func (s *source) err() error {
	for _, w := range s.watches {
		w.mu.Lock()
		err := w.lacks(s.clock.Now())
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

// missing returns the error about the first right of an optional watch that is missing, or nil.
func (s *source) missing() error {
	for _, w := range s.watches {
		if err := w.missing(); err != nil {
			return err
		}
	}
	return nil
}

// staleSince returns when the first of the broken watches broke, or zero if none is broken.
func (s *source) staleSince() time.Time {
	var since time.Time
	for _, w := range s.watches {
		w.mu.Lock()
		if !w.brokenSince.IsZero() && w.hopeless == nil {
			since = earlier(since, w.brokenSince)
		}
		w.mu.Unlock()
	}
	return since
}

// sleep returns at the next change, at the moment until unless it is zero, or with the context's cause.
func (s *source) sleep(ctx context.Context, until time.Time) error {
	var alarm <-chan time.Time
	if !until.IsZero() {
		timer := s.clock.NewTimer(until.Sub(s.clock.Now()))
		defer timer.Stop()
		alarm = timer.C()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.changed:
	case <-alarm:
	}
	return nil
}

// workload returns the workload that is watched, or nil if it does not exist.
func (s *source) workload() workload.Object {
	for _, found := range listOf[workload.Object](s.watches[0]) {
		return found
	}
	return nil
}

// pods returns all pods that the selector of the workload matches.
func (s *source) pods() []*corev1.Pod { return listOf[*corev1.Pod](s.watches[len(s.watches)-1]) }

// snapshot returns what is known now.
func (s *source) snapshot() Snapshot {
	since := s.staleSince() // first of all: otherwise stale objects might count as fresh if the connection comes back just now
	var sets []*appsv1.ReplicaSet
	if len(s.watches) > 2 {
		sets = listOf[*appsv1.ReplicaSet](s.watches[1])
	}
	snapshot := NewSnapshot(s.workload(), sets, s.pods())
	snapshot.StaleSince = since
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
