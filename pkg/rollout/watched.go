package rollout

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// watched is one watch with what it has brought.
type watched struct {
	cache.Store
	source    *source
	reflector *cache.Reflector
	what      string
	// optional watches may be denied: what they would bring is good to know, and no more.
	optional bool
	cancel   context.CancelFunc

	mu     sync.Mutex
	synced bool
	// brokenSince is when the connection was lost, until all there is has been brought again.
	brokenSince time.Time
	// list and watch are what the API server answers to these two.
	list, watch permission
	hopeless    error
	// credentials is why there were none for the last request, nil where there were.
	credentials error
}

// note keeps whether the API server answers, and whether it still lets us do what was asked for.
func (w *watched) note(asked *permission, err error) {
	w.mu.Lock()
	now := w.source.clock.Now()
	asked.answered(err, now)
	if w.credentials = nil; IsCredentialError(err) {
		w.credentials = err
	}
	if !granted(err) && w.brokenSince.IsZero() {
		w.brokenSince = now
	}
	if lacks := w.lacks(now); w.optional && lacks != nil {
		w.hopeless = lacks
		w.cancel() // or it would ask for ever
	}
	w.mu.Unlock()
	w.source.notify()
}

// broken tells whether the connection was lost, and what there is has not been brought since. That a watch may go on from
// where it was does not bring it: what was missed may come later, or be too much for the API server to tell.
func (w *watched) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.brokenSince.IsZero()
}

// missing names the right that an optional watch has been given up for, nil where it has not.
func (w *watched) missing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hopeless
}

// lacks names the rights that are missing from the beginning, or that have been for some time.
func (w *watched) lacks(now time.Time) error {
	verbs, missing := "list", w.list
	switch {
	case w.list.denied != nil && w.watch.denied != nil:
		verbs, missing.deniedSince = "list and watch", earlier(w.list.deniedSince, w.watch.deniedSince)
	case w.watch.denied != nil && !w.list.known:
		return nil // who may not watch lists next, which tells whether that right is missing too
	case w.watch.denied != nil:
		verbs, missing = "watch", w.watch
	case w.list.denied == nil:
		return nil
	}
	if lost := w.watch.had || missing.had; lost && now.Sub(missing.deniedSince) <= deniedGrace {
		return nil
	}
	return fmt.Errorf("the right to %s %s is missing: %w", verbs, w.what, missing.denied)
}

// permission is what the API server answers to those who list, or who watch.
type permission struct {
	// known tells whether there is an answer yet, and had whether it was allowed once.
	known, had  bool
	deniedSince time.Time
	denied      error
}

func (p *permission) answered(err error, now time.Time) {
	switch {
	case granted(err):
		*p = permission{known: true, had: true}
	case !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err):
		p.deniedSince, p.denied = time.Time{}, nil
	case p.denied == nil:
		p.known, p.deniedSince, p.denied = true, now, err // it keeps whether it had it before
	}
}

// granted tells of an answer whether it was allowed to ask.
func granted(err error) bool {
	return err == nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
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
	w.synced, w.brokenSince = true, time.Time{}
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
