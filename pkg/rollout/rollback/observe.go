package rollback

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ObserveTimeout is how long the controller may take to act on the newest template. A running controller takes far less.
const ObserveTimeout = 10 * time.Second

// observeAgain is the time after which the object is read again, even if its watch has delivered nothing.
const observeAgain = 3 * time.Second

// ErrUnobserved means that the controller has not yet made the revision of the newest template. Without that revision, the
// rollbacker would go one revision too far.
var ErrUnobserved = errors.New("the controller has not observed the newest pod template yet")

// onceObserved computes the rollback again once the controller has observed the newest template.
func (r *Rollback) onceObserved(ctx context.Context, kind schema.GroupKind, compute func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, ObserveTimeout, ErrUnobserved)
	defer cancel()
	for {
		if err := r.awaitObserved(ctx, kind); err != nil {
			return "", err
		}
		if done, err := compute(); !errors.Is(r.err, ErrUnobserved) {
			return done, err
		}
	}
}

// checkRevisions returns an error if the newest ReplicaSet is not that of the newest template. If the number of replicas
// was changed together with the template, the controller makes that ReplicaSet a moment after it has observed the
// Deployment. A paused Deployment gets none, and is not rolled back either.
func (r *Rollback) checkRevisions(list *appsv1.ReplicaSetList) error {
	d, ok := r.live.(*appsv1.Deployment)
	if !ok || d.Spec.Paused || r.ToRevision > 0 || hasNewestRevision(d, list.Items) {
		return nil
	}
	if coming := withheld(d, list.Items); coming != nil {
		list.Items = append(list.Items, *coming)
		return nil
	}
	return r.failed(ErrUnobserved)
}

// withheld returns the ReplicaSet that the controller still withholds for the Deployment's present template, or nil. With
// strategy Recreate, the controller makes it only after the last old pod has ended. That may take as long as
// terminationGracePeriodSeconds. By then, the revisions of all other ReplicaSets are settled.
func withheld(d *appsv1.Deployment, replicaSets []appsv1.ReplicaSet) *appsv1.ReplicaSet {
	if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		return nil
	}
	var highest int64
	for i := range replicaSets {
		switch rs := &replicaSets[i]; {
		case !metav1.IsControlledBy(rs, d):
		case workload.SameTemplate(&rs.Spec.Template, &d.Spec.Template):
			return nil
		default:
			highest = max(highest, workload.RevisionOf(rs))
		}
	}
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
			Annotations: map[string]string{workload.RevisionAnnotation: strconv.FormatInt(highest+1, 10)},
		},
		Spec: appsv1.ReplicaSetSpec{Template: d.Spec.Template},
	}
}

// hasNewestRevision reports whether the ReplicaSet of a Deployment's present template has the highest revision.
func hasNewestRevision(d *appsv1.Deployment, replicaSets []appsv1.ReplicaSet) bool {
	var own []*appsv1.ReplicaSet
	for i := range replicaSets {
		if metav1.IsControlledBy(&replicaSets[i], d) {
			own = append(own, &replicaSets[i])
		}
	}
	current := workload.FindByTemplate(own, &d.Spec.Template)
	if current == nil {
		return false
	}
	for _, rs := range own {
		if workload.RevisionOf(rs) > workload.RevisionOf(current) {
			return false
		}
	}
	return true
}

// awaitObserved waits until the object has changed and its controller has observed the change.
func (r *Rollback) awaitObserved(ctx context.Context, kind schema.GroupKind) error {
	name := fmt.Sprintf("%s %q", strings.ToLower(kind.Kind), r.live.GetName())
	events, err := r.watch(ctx)
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("the right to watch %ss in namespace %q is missing, which it takes to wait until the controller "+
			"has observed the newest pod template of %s; try again in a moment, or ask for the right: %w",
			strings.ToLower(kind.Kind), r.live.GetNamespace(), name, err)
	}
	if err != nil && context.Cause(ctx) == nil {
		return fmt.Errorf("cannot wait until the controller has observed the newest pod template of %s: %w", name, err)
	}
	if err == nil {
		defer events.Stop()
		if untilObserved(ctx, events.ResultChan()) {
			return nil
		}
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ErrUnobserved) {
		return cause
	}
	return fmt.Errorf("%s in namespace %q was not rolled back: within %s its controller has not made the revision of the newest pod template "+
		"(generation %d), so the one before is not known; see whether the controller manager runs, and try again",
		name, r.live.GetNamespace(), ObserveTimeout, r.live.GetGeneration())
}

// untilObserved reports whether to read the object again. It returns true after a change that the controller has observed,
// after an event of another kind, and after the end of the watch. It returns false after the end of the context.
func untilObserved(ctx context.Context, events <-chan watch.Event) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case event, open := <-events:
			changed, ok := event.Object.(workload.Object)
			if !open || !ok || event.Type != watch.Modified || workload.ObservedGenerationOf(changed) >= changed.GetGeneration() {
				return ctx.Err() == nil
			}
		}
	}
}

// watch starts a watch for changes of the object since it was read.
func (r *Rollback) watch(ctx context.Context) (watch.Interface, error) {
	options := metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector(metav1.ObjectNameField, r.live.GetName()).String(),
		ResourceVersion: r.live.GetResourceVersion(),
		// A proxy may hold back the events of a watch until it ends. Then the object is read again at that time.
		TimeoutSeconds: new(int64(observeAgain / time.Second)),
	}
	apps, namespace := r.Client.AppsV1(), r.live.GetNamespace()
	switch r.live.(type) {
	case *appsv1.Deployment:
		return apps.Deployments(namespace).Watch(ctx, options)
	case *appsv1.StatefulSet:
		return apps.StatefulSets(namespace).Watch(ctx, options)
	case *appsv1.DaemonSet:
		return apps.DaemonSets(namespace).Watch(ctx, options)
	}
	return nil, fmt.Errorf("cannot watch a %T", r.live)
}
