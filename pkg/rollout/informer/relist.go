package informer

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

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// HeldBackWarning returns the warning that the watches of these resources do not deliver the changes that lists find.
func HeldBackWarning(resources []string) string {
	return fmt.Sprintf("warning: the watch of %s brings nothing, but a list finds something new; a proxy on the way to the API server "+
		"seems to hold watch data back; it is listed every few seconds instead", strings.Join(resources, " and "))
}

// relistBeside lists beside the watch while the watch is quiet, until the context ends.
func (w *watched) relistBeside(ctx context.Context) {
	for ctx.Err() == nil {
		wait := relistAfter
		if due := w.relistDue(); !due.IsZero() {
			wait = min(wait, due.Sub(w.objects.clock.Now()))
		}
		if wait <= 0 {
			w.relist(ctx)
		} else if kube.Pause(ctx, w.objects.clock, wait) != nil {
			return
		}
	}
}

func (w *watched) relistDue() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet.due(w.incomplete())
}

// incomplete reports whether the watch has yet to deliver all existing objects. The caller must hold mu.
func (w *watched) incomplete() bool { return !w.synced || !w.watch.had || !w.brokenSince.IsZero() }

// relist lists once, and stores what the watch should have delivered.
func (w *watched) relist(ctx context.Context) {
	w.mu.Lock()
	count, incomplete, trusted := w.quiet.count, w.incomplete(), !w.quiet.everHeldBack
	w.mu.Unlock()
	options := metav1.ListOptions{}
	if !incomplete {
		options.ResourceVersion = w.newest() // lets the API server answer from its cache
	}
	asking, cancel := context.WithTimeout(ctx, relistTimeout)
	defer cancel()
	objects, version, err := contentOf(w.lister(asking, options))
	isNew := err == nil && (incomplete || w.differs(objects))
	if isNew && trusted {
		isNew = kube.Pause(ctx, w.objects.clock, relistGrace) == nil && w.deliveries() == count
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
	w.quiet.found(isNew, w.objects.clock.Now())
	w.mu.Unlock()
	if isNew {
		_ = w.changed(nil)
	}
}

// unlisted records that a list failed. While lists take the place of the watch, the failure counts as a lost
// connection.
func (w *watched) unlisted(err error) {
	w.mu.Lock()
	w.quiet.relisted = w.objects.clock.Now()
	heldBack := w.quiet.heldBack
	w.mu.Unlock()
	if heldBack {
		w.note(&w.list, err)
	}
}

// adopt replaces the stored objects by a list, and reports whether it did. It drops a list that is older than what the
// watch has delivered meanwhile.
func (w *watched) adopt(objects []any, version string) bool {
	w.order.Lock()
	defer w.order.Unlock()
	if isOlder(version, w.version) || w.Store.Replace(objects, version) != nil {
		return false
	}
	w.version, w.relisted = version, version
	w.mu.Lock()
	w.synced, w.brokenSince, w.credentials = true, time.Time{}, nil
	w.list.answered(nil, w.objects.clock.Now())
	w.mu.Unlock()
	return true
}

// deliver stores what the watch has delivered, and reports whether it did. It drops what a list beside the watch has
// overtaken.
func (w *watched) deliver(version string, store func() error) (bool, error) {
	w.order.Lock()
	defer w.order.Unlock()
	isNew := w.relisted == "" || isOlder(w.relisted, version)
	w.mu.Lock()
	w.quiet.delivered(isNew, w.objects.clock.Now())
	w.mu.Unlock()
	if !isNew {
		return false, nil
	}
	w.version = version
	return true, store()
}

// differs reports whether a list and the stored objects differ.
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

// isOlder reports whether a version comes before another one. It returns false if the two cannot be compared.
func isOlder(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order < 0
}

// versionOf returns the resource version of an object, or "" if it has none.
func versionOf(object any) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetResourceVersion()
}

// contentOf returns the objects of a list and its resource version. It passes on the error of the list call.
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

// Transformer returns a function that records each object that the watch delivers before it has delivered all existing
// ones.
func (w *watched) Transformer() cache.TransformFunc {
	return func(object any) (any, error) {
		w.mu.Lock()
		w.quiet.delivered(false, w.objects.clock.Now())
		w.mu.Unlock()
		return object, nil
	}
}

// Bookmark records the version that the watch has reached.
func (w *watched) Bookmark(version string) error {
	_, err := w.deliver(version, func() error { return nil })
	return err
}

// HeldBack returns the resources whose watches do not deliver what lists find.
func (o *Objects) HeldBack() []string {
	var found []string
	for _, w := range o.watches {
		w.mu.Lock()
		if w.quiet.heldBack {
			found = append(found, w.what)
		}
		w.mu.Unlock()
	}
	return found
}
