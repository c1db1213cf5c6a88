package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/klog/v2"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// errDeleted is kubectl's text for an object that goes while it is waited for.
var errDeleted = errors.New("object has been deleted")

// undone is an object as undo left it.
type undone struct {
	kind   schema.GroupKind
	object workload
}

func (u *undone) key() types.NamespacedName {
	return types.NamespacedName{Namespace: u.object.GetNamespace(), Name: u.object.GetName()}
}

// awaitUndone waits until all are complete, at the same time, and gives what became of each that is not.
func awaitUndone(ctx context.Context, engine *rollout.Engine, objects []undone) []error {
	failures := make([]error, len(objects))
	var waiting sync.WaitGroup
	for i := range objects {
		waiting.Go(func() {
			if objects[i].kind.Kind == "Deployment" {
				failures[i] = awaitComplete(ctx, engine, objects[i].key())
			} else {
				failures[i] = awaitStatus(ctx, engine, &objects[i])
			}
		})
	}
	waiting.Wait()
	return failures
}

// awaitStatus waits until kubectl's status calls a StatefulSet or DaemonSet complete.
func awaitStatus(ctx context.Context, engine *rollout.Engine, u *undone) error {
	name := fmt.Sprintf("%s %q", strings.ToLower(u.kind.Kind), u.object.GetName())
	viewer, err := polymorphichelpers.StatusViewerFor(u.kind)
	if err != nil {
		return err
	}
	watching, cancel := context.WithCancelCause(klog.NewContext(ctx, logr.Discard()))
	defer cancel(nil)
	seen := func(object any) (bool, error) { return isComplete(viewer, object, u.object.GetResourceVersion()) }
	_, err = watchtools.UntilWithSync(watching, watchedOrDenied(engine, u, cancel), emptyOf(u.object),
		func(store cache.Store) (bool, error) {
			for _, object := range store.List() {
				return seen(object)
			}
			return false, errDeleted
		},
		func(event watch.Event) (bool, error) {
			if event.Type == watch.Deleted {
				return false, errDeleted
			}
			return seen(event.Object)
		})
	switch cause := context.Cause(watching); {
	case err == nil:
		return nil
	case cause == nil:
		return fmt.Errorf("%s: %w", name, err)
	default:
		return &exitError{code: exitCode(cause), err: fmt.Errorf("%s: %w", name, cause)}
	}
}

// isComplete asks kubectl's status about an object, unless it is older than what undo wrote: a watch may begin with what
// was before.
func isComplete(viewer polymorphichelpers.StatusViewer, object any, since string) (bool, error) {
	current, ok := object.(workload)
	if !ok {
		return false, fmt.Errorf("unexpected %T in a watch", object)
	}
	if order, err := resourceversion.CompareResourceVersion(current.GetResourceVersion(), since); err == nil && order < 0 {
		return false, nil
	}
	fieldsOf, err := runtime.DefaultUnstructuredConverter.ToUnstructured(current)
	if err != nil {
		return false, err
	}
	_, done, err := viewer.Status(&unstructured.Unstructured{Object: fieldsOf}, 0)
	return done, err
}

// watchedOrDenied watches one object, and gives up where the right to is missing: a watch would try for ever.
func watchedOrDenied(engine *rollout.Engine, u *undone, giveUp context.CancelCauseFunc) *cache.ListWatch {
	resource, namespace := strings.ToLower(u.kind.Kind)+"s", u.object.GetNamespace()
	lw := cache.NewListWatchFromClient(engine.Client.AppsV1().RESTClient(), resource, namespace,
		fields.OneTermEqualSelector(metav1.ObjectNameField, u.object.GetName()))
	note := func(err error) {
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			giveUp(fmt.Errorf("it was rolled back, but cannot be waited for: the right to list and watch %s in namespace %q is missing: %w",
				resource, namespace, err))
		}
	}
	list, watchFunc := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		found, err := list(ctx, options)
		note(err)
		return found, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		events, err := watchFunc(ctx, options)
		note(err)
		return events, err
	}
	return lw
}

// emptyOf is what a watch of such objects is told to expect.
func emptyOf(object workload) runtime.Object {
	if _, ok := object.(*appsv1.StatefulSet); ok {
		return &appsv1.StatefulSet{}
	}
	return &appsv1.DaemonSet{}
}
