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

	mu          sync.Mutex
	synced      bool
	brokenSince time.Time
	deniedSince time.Time
	denied      error
	hopeless    error
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
	if w.optional && w.denied != nil && (!w.synced || now.Sub(w.deniedSince) > deniedGrace) {
		w.hopeless = w.lacks()
		w.cancel() // or it would ask for ever
	}
	w.mu.Unlock()
	w.source.notify()
}

// missing names the right that an optional watch has been given up for, nil where it has not.
func (w *watched) missing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hopeless
}

func (w *watched) lacks() error {
	return fmt.Errorf("the right to list and watch %s is missing: %w", w.what, w.denied)
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
