package informer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// watched is one watch with the objects that it has delivered.
type watched struct {
	cache.Store
	objects   *Objects
	reflector *cache.Reflector
	what      string
	// optional is set if the watch may be denied: its objects are useful, but not necessary.
	optional bool
	cancel   context.CancelFunc
	// lister lists the objects that the watch is about.
	lister cache.ListWithContextFunc

	// order serializes what comes from the watch and from lists beside it. It is locked before mu.
	order sync.Mutex
	// version is the newest known resource version of all objects together. relisted is the version of the last list
	// beside the watch.
	version, relisted string

	mu     sync.Mutex
	synced bool
	// brokenSince is when the connection was lost. It is zero again once all existing objects have been delivered anew.
	brokenSince time.Time
	// list and watch are the API server's answers to list and watch calls.
	list, watch permission
	// hopeless is the error that an optional watch was given up for, or nil.
	hopeless error
	// credentials is why there were no credentials for the last request, or nil if there were.
	credentials error
	quiet       quiet
}

// note records whether the API server answers, and whether it still permits the call.
func (w *watched) note(asked *permission, err error) {
	w.mu.Lock()
	now := w.objects.clock.Now()
	asked.answered(err, now)
	if w.credentials = nil; kube.IsCredentialError(err) {
		w.credentials = err
	}
	// While lists take the place of the watch, its failures mean nothing: the proxy ends the watch.
	if replaced := w.quiet.heldBack && asked == &w.watch; !granted(err) && w.brokenSince.IsZero() && !replaced {
		w.brokenSince = now
	}
	if asked == &w.watch && err != nil {
		w.quiet.asked = time.Time{}
	}
	if lacks := w.lacks(now); w.optional && lacks != nil {
		w.hopeless = lacks
		w.cancel() // otherwise the reflector would retry for ever
	}
	w.mu.Unlock()
	w.objects.notify()
}

// open records that a watch was requested.
func (w *watched) open() {
	w.mu.Lock()
	w.quiet.asked = w.objects.clock.Now()
	w.mu.Unlock()
}

// broken reports whether the connection was lost, and the existing objects have not been delivered since. A watch that
// may go on from where it was does not deliver them. The missed events may come later, or be too many for the API
// server to send.
func (w *watched) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.brokenSince.IsZero()
}

// missing returns the error about the right that an optional watch was given up for, or nil.
func (w *watched) missing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hopeless
}

// lacks returns an error about rights that are missing from the beginning, or for longer than DeniedGrace, or nil.
func (w *watched) lacks(now time.Time) error {
	verbs, missing := "list", w.list
	switch {
	case w.list.denied != nil && w.watch.denied != nil:
		verbs, missing.deniedSince = "list and watch", slices.MinFunc([]time.Time{w.list.deniedSince, w.watch.deniedSince}, time.Time.Compare)
	case w.watch.denied != nil && !w.list.known:
		return nil // the reflector lists next, which shows whether that right is missing too
	case w.watch.denied != nil:
		verbs, missing = "watch", w.watch
	case w.list.denied == nil:
		return nil
	}
	if lost := w.watch.had || missing.had; lost && now.Sub(missing.deniedSince) <= DeniedGrace {
		return nil
	}
	return fmt.Errorf("the right to %s %s is missing: %w", verbs, w.what, missing.denied)
}

// permission is the API server's answer to list calls, or to watch calls.
type permission struct {
	// known is set once there is an answer. had is set once a call was permitted.
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
		p.known, p.deniedSince, p.denied = true, now, err // had stays as it was
	}
}

// granted reports whether an answer shows that the call was permitted.
func granted(err error) bool {
	return err == nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

// Add, Update, Delete and Replace are called by the reflector with the objects that it received.

// Add stores a new object.
func (w *watched) Add(object any) error {
	isNew, err := w.deliver(versionOf(object), func() error { return w.Store.Add(object) })
	if !isNew {
		return err
	}
	return w.changed(err)
}

// Update stores an object that has changed.
func (w *watched) Update(object any) error {
	before, _, _ := w.Get(object)
	isNew, err := w.deliver(versionOf(object), func() error { return w.Store.Update(object) })
	if !isNew {
		return err
	}
	if countOf(before) == countOf(object) {
		w.objects.notify()
		return err
	}
	return w.changed(err)
}

// Delete removes an object.
func (w *watched) Delete(object any) error {
	isNew, err := w.deliver(versionOf(object), func() error { return w.Store.Delete(object) })
	if !isNew {
		return err
	}
	return w.changed(err)
}

// Replace stores the result of the reflector's list, or of a watch that begins with all existing objects.
func (w *watched) Replace(objects []any, version string) error {
	w.order.Lock()
	var err error
	if w.relisted == "" || !isOlder(version, w.relisted) {
		err = w.Store.Replace(objects, version)
		w.version = version
	}
	w.order.Unlock()
	w.mu.Lock()
	w.quiet.delivered(false, w.objects.clock.Now())
	w.synced, w.brokenSince = true, time.Time{}
	w.mu.Unlock()
	return w.changed(err)
}

func (w *watched) changed(err error) error {
	if w.objects.onCount != nil {
		w.objects.onCount()
	}
	w.objects.notify()
	return err
}

// counted is what an object contributes to the counts of pods.
type counted struct {
	wanted        int32
	active, ready bool
	owner         types.UID
	generation    int64
}

func countOf(object any) counted {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		return counted{wanted: workload.SizeOf(o)}
	case *corev1.Pod:
		ready, _ := workload.ReadySince(o)
		of := counted{active: workload.IsActive(o), ready: ready}
		if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
			of.owner = owner.UID
		}
		return of
	case workload.Object:
		return counted{generation: o.GetGeneration()}
	}
	return counted{}
}
