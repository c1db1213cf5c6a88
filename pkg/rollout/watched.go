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
	// lister lists what the watch is of.
	lister cache.ListWithContextFunc

	// order keeps what comes from the watch and from lists beside it in order. It is taken before mu.
	order sync.Mutex
	// version is the newest that is known of all objects together, and relisted that of the last list beside the watch.
	version, relisted string

	mu     sync.Mutex
	synced bool
	// brokenSince is when the connection was lost, until all there is has been brought again.
	brokenSince time.Time
	// list and watch are what the API server answers to these two.
	list, watch permission
	hopeless    error
	// credentials is why there were none for the last request, nil where there were.
	credentials error
	quiet       quiet
}

// note keeps whether the API server answers, and whether it still lets us do what was asked for.
func (w *watched) note(asked *permission, err error) {
	w.mu.Lock()
	now := w.source.clock.Now()
	asked.answered(err, now)
	if w.credentials = nil; IsCredentialError(err) {
		w.credentials = err
	}
	// Where lists take the place of the watch, its failures tell nothing: it is the proxy that loses patience.
	if replaced := w.quiet.heldBack && asked == &w.watch; !granted(err) && w.brokenSince.IsZero() && !replaced {
		w.brokenSince = now
	}
	if asked == &w.watch && err != nil {
		w.quiet.asked = time.Time{}
	}
	if lacks := w.lacks(now); w.optional && lacks != nil {
		w.hopeless = lacks
		w.cancel() // or it would ask for ever
	}
	w.mu.Unlock()
	w.source.notify()
}

// open keeps that a watch was asked for.
func (w *watched) open() {
	w.mu.Lock()
	w.quiet.asked = w.source.clock.Now()
	w.mu.Unlock()
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
func (w *watched) Add(object any) error {
	isNew, err := w.deliver(versionOf(object), func() error { return w.Store.Add(object) })
	if !isNew {
		return err
	}
	return w.changed(err)
}

// Update keeps an object that has changed.
func (w *watched) Update(object any) error {
	before, _, _ := w.Get(object)
	isNew, err := w.deliver(versionOf(object), func() error { return w.Store.Update(object) })
	if !isNew {
		return err
	}
	if countOf(before) == countOf(object) {
		w.source.notify()
		return err
	}
	return w.changed(err)
}

// Delete drops an object.
func (w *watched) Delete(object any) error {
	isNew, err := w.deliver(versionOf(object), func() error { return w.Store.Delete(object) })
	if !isNew {
		return err
	}
	return w.changed(err)
}

// Replace keeps what a list of the reflector brought, or a watch that begins with all there is.
func (w *watched) Replace(objects []any, version string) error {
	w.order.Lock()
	var err error
	if w.relisted == "" || !isOlder(version, w.relisted) {
		err = w.Store.Replace(objects, version)
		w.version = version
	}
	w.order.Unlock()
	w.mu.Lock()
	w.quiet.delivered(false, w.source.clock.Now())
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
