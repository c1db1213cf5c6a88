//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// recorder keeps every event of a namespace's Deployments, DaemonSets, ReplicaSets and pods. Its watches know nothing of the
// plugin's.
type recorder struct {
	space *space

	mu      sync.Mutex
	events  []event
	live    snapshot
	gone    map[types.UID]bool
	changed chan struct{}
	failure error
}

// event is one change of one object. All resources count their versions by the same counter (etcd's revision), so
// that the order of the versions is the order in which the changes happened, whichever watch brought them first.
type event struct {
	version uint64
	arrived time.Time
	deleted bool
	object  object
}

type object interface {
	runtime.Object
	metav1.Object
}

// record begins to watch.
func (s *space) record() *recorder {
	s.Helper()
	r := &recorder{space: s, changed: make(chan struct{}), live: newSnapshot(), gone: map[types.UID]bool{}}
	apps, core := s.client.AppsV1(), s.client.CoreV1()
	ctx, stop := context.WithCancel(context.Background())
	var watches sync.WaitGroup
	s.Cleanup(func() { stop(); watches.Wait() })
	// An hour is longer than the suite takes: a watch that ends before is a failure.
	hour := int64(3600)
	for _, follow := range []func(context.Context, metav1.ListOptions) (watch.Interface, error){
		apps.Deployments(s.name).Watch, apps.DaemonSets(s.name).Watch, apps.ReplicaSets(s.name).Watch, core.Pods(s.name).Watch,
	} {
		events, err := follow(ctx, metav1.ListOptions{TimeoutSeconds: &hour})
		must(s.TB, err)
		watches.Go(func() {
			// The API server ends the watch of a client that it finds too slow: the next begins where that one ended.
			from := metav1.ListOptions{TimeoutSeconds: &hour}
			for ctx.Err() == nil {
				for e := range events.ResultChan() {
					if !r.keep(e) {
						events.Stop()
						return
					}
					from.ResourceVersion = e.Object.(object).GetResourceVersion()
				}
				events.Stop()
				if ctx.Err() != nil {
					return
				}
				again, err := follow(ctx, from)
				if err != nil {
					r.fail(fmt.Errorf("a watch of the test's own ended: %w", err))
					return
				}
				events = again
			}
		})
	}
	return r
}

// keep takes in an event of a watch.
func (r *recorder) keep(e watch.Event) bool {
	o, ok := e.Object.(object)
	if !ok {
		r.fail(fmt.Errorf("a watch of the test's own failed: %v", e.Object))
		return false
	}
	version := versionOf(o)
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := event{version: version, arrived: time.Now(), deleted: e.Type == watch.Deleted, object: o}
	r.events = append(r.events, kept)
	r.live.apply(kept)
	if kept.deleted {
		r.gone[o.GetUID()] = true
	}
	r.tell()
	return true
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = err
	r.tell()
}

func (r *recorder) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// versionOf is an object's resourceVersion. The API promises since 1.35 that it is a number.
func versionOf(o metav1.Object) uint64 {
	version, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(err)
	}
	return version
}

// await waits until the live state is so; what says how.
func (r *recorder) await(what string, so func(*snapshot) bool) {
	r.space.Helper()
	alarm := time.After(patience)
	for {
		r.mu.Lock()
		is, changed, failure, now := so(&r.live), r.changed, r.failure, r.live.String()
		r.mu.Unlock()
		switch {
		case failure != nil:
			r.space.Fatal(failure)
		case is:
			return
		}
		select {
		case <-changed:
		case <-alarm:
			r.space.Fatalf("not so within %s: %s\nnow: %s", patience, what, now)
		}
	}
}

// more waits for the n-th event from now on, or for done.
func (r *recorder) more(n int, done <-chan struct{}) {
	r.mu.Lock()
	goal := len(r.events) + n
	r.mu.Unlock()
	for {
		r.mu.Lock()
		count, changed, failure := len(r.events), r.changed, r.failure
		r.mu.Unlock()
		if count >= goal || failure != nil {
			return
		}
		select {
		case <-changed:
		case <-done:
			return
		}
	}
}

// catchUp waits until the watches have brought everything that has happened so far.
func (r *recorder) catchUp() {
	r.space.Helper()
	s := r.space
	deployments, err := s.client.AppsV1().Deployments(s.name).List(s.Context(), metav1.ListOptions{})
	must(s.TB, err)
	daemonSets, err := s.client.AppsV1().DaemonSets(s.name).List(s.Context(), metav1.ListOptions{})
	must(s.TB, err)
	replicaSets, err := s.client.AppsV1().ReplicaSets(s.name).List(s.Context(), metav1.ListOptions{})
	must(s.TB, err)
	pods, err := s.client.CoreV1().Pods(s.name).List(s.Context(), metav1.ListOptions{})
	must(s.TB, err)
	r.await("the test's watches are up to date", func(m *snapshot) bool {
		return upToDate(m.deployments(), r.gone, deployments.Items, deployments.ResourceVersion) &&
			upToDate(m.daemonSets, r.gone, daemonSets.Items, daemonSets.ResourceVersion) &&
			upToDate(m.replicaSets, r.gone, replicaSets.Items, replicaSets.ResourceVersion) &&
			upToDate(m.pods, r.gone, pods.Items, pods.ResourceVersion)
	})
}

// replay goes through everything on record in the order in which it happened.
func (r *recorder) replay(see func(before, after *snapshot)) {
	r.space.Helper()
	r.catchUp()
	r.mu.Lock()
	events := slices.Clone(r.events)
	r.mu.Unlock()
	slices.SortStableFunc(events, func(a, b event) int {
		if a.version < b.version {
			return -1
		}
		return 1
	})
	m := newSnapshot()
	for _, e := range events {
		before := m.clone()
		m.apply(e)
		see(&before, &m)
	}
}

// now is the live state.
func (r *recorder) now() snapshot {
	r.space.Helper()
	r.catchUp()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live.clone()
}
