package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"
)

// HeldBack returns the warning that the watches of these resources do not bring what there is.
func HeldBack(resources []string) string {
	return fmt.Sprintf("warning: the watch of %s brings nothing, but a list finds something new; a proxy on the way to the API server "+
		"seems to hold watch data back; it is listed every few seconds instead", strings.Join(resources, " and "))
}

// relistBeside lists beside the watch while that brings nothing, until the context ends.
func (w *watched) relistBeside(ctx context.Context) {
	for ctx.Err() == nil {
		wait := relistAfter
		if due := w.relistDue(); !due.IsZero() {
			wait = min(wait, due.Sub(w.source.clock.Now()))
		}
		if wait <= 0 {
			w.relist(ctx)
		} else if pause(ctx, w.source.clock, wait) != nil {
			return
		}
	}
}

func (w *watched) relistDue() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet.due(w.incomplete())
}

// incomplete reports whether the watch has yet to bring all there is. It needs mu.
func (w *watched) incomplete() bool { return !w.synced || !w.watch.had || !w.brokenSince.IsZero() }

// relist lists once, and keeps what the watch should have brought.
func (w *watched) relist(ctx context.Context) {
	w.mu.Lock()
	count, incomplete, trusted := w.quiet.count, w.incomplete(), !w.quiet.everHeldBack
	w.mu.Unlock()
	options := metav1.ListOptions{}
	if !incomplete {
		options.ResourceVersion = w.newest() // so that the API server need not ask its storage
	}
	asking, cancel := context.WithTimeout(ctx, relistTimeout)
	defer cancel()
	objects, version, err := contentOf(w.lister(asking, options))
	isNew := err == nil && (incomplete || w.differs(objects))
	if isNew && trusted {
		isNew = pause(ctx, w.source.clock, relistGrace) == nil && w.deliveries() == count
	}
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		w.unlisted(err)
		return
	}
	isNew = isNew && w.adopt(objects, version)
	w.mu.Lock()
	w.quiet.found(isNew, w.source.clock.Now())
	w.mu.Unlock()
	if isNew {
		_ = w.changed(nil)
	}
}

// unlisted keeps that a list was not answered. Where the lists take the place of the watch, they are the connection.
func (w *watched) unlisted(err error) {
	w.mu.Lock()
	w.quiet.relisted = w.source.clock.Now()
	heldBack := w.quiet.heldBack
	w.mu.Unlock()
	if heldBack {
		w.note(&w.list, err)
	}
}

// adopt replaces what is known by a list, and reports whether that was done: a list that is older than what the watch has brought
// meanwhile is dropped.
func (w *watched) adopt(objects []any, version string) bool {
	w.order.Lock()
	defer w.order.Unlock()
	if isOlder(version, w.version) || w.Store.Replace(objects, version) != nil {
		return false
	}
	w.version, w.relisted = version, version
	w.mu.Lock()
	w.synced, w.brokenSince, w.credentials = true, time.Time{}, nil
	w.list.answered(nil, w.source.clock.Now())
	w.mu.Unlock()
	return true
}

// deliver stores what the watch has brought, and reports whether it did: nothing that a list beside it has overtaken is stored.
func (w *watched) deliver(version string, store func() error) (bool, error) {
	w.order.Lock()
	defer w.order.Unlock()
	isNew := w.relisted == "" || isOlder(w.relisted, version)
	w.mu.Lock()
	w.quiet.delivered(isNew, w.source.clock.Now())
	w.mu.Unlock()
	if !isNew {
		return false, nil
	}
	w.version = version
	return true, store()
}

// differs reports whether a list has anything that is not known, or lacks what is.
func (w *watched) differs(objects []any) bool {
	if len(objects) != len(w.ListKeys()) {
		return true
	}
	for _, object := range objects {
		known, found, err := w.Get(object)
		if err != nil || !found || versionOf(known) != versionOf(object) {
			return true
		}
	}
	return false
}

func (w *watched) newest() string {
	w.order.Lock()
	defer w.order.Unlock()
	return w.version
}

func (w *watched) deliveries() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet.count
}

// isOlder reports whether a version comes before another one. Versions that cannot be compared do not.
func isOlder(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order < 0
}

// versionOf returns the resource version of an object, "" where it has none.
func versionOf(object any) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetResourceVersion()
}

// contentOf returns the objects of a list, and its version.
func contentOf(list runtime.Object, err error) ([]any, string, error) {
	if err != nil {
		return nil, "", err
	}
	items, err := meta.ExtractListWithAlloc(list)
	if err != nil {
		return nil, "", fmt.Errorf("a list cannot be read: %w", err)
	}
	objects := make([]any, len(items))
	for i, item := range items {
		objects[i] = item
	}
	return objects, versionOfList(list), nil
}

func versionOfList(list runtime.Object) string {
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return ""
	}
	return accessor.GetResourceVersion()
}

// Transformer has every object noted that a watch brings before it has brought all there is.
func (w *watched) Transformer() cache.TransformFunc {
	return func(object any) (any, error) {
		w.mu.Lock()
		w.quiet.delivered(false, w.source.clock.Now())
		w.mu.Unlock()
		return object, nil
	}
}

// Bookmark keeps how far the watch has come.
func (w *watched) Bookmark(version string) error {
	_, err := w.deliver(version, func() error { return nil })
	return err
}

// heldBack returns the resources whose watches do not bring what lists find.
func (s *source) heldBack() []string {
	var found []string
	for _, w := range s.watches {
		w.mu.Lock()
		if w.quiet.heldBack {
			found = append(found, w.what)
		}
		w.mu.Unlock()
	}
	return found
}

// tellHeldBack emits once that watches do not bring what lists find.
func (s *session) tellHeldBack() {
	if s.toldHeldBack || s.source == nil {
		return
	}
	if resources := s.source.heldBack(); len(resources) > 0 {
		s.toldHeldBack = true
		s.emit(ProgressEvent{Message: HeldBack(resources)})
	}
}
