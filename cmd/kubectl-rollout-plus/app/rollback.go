package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// observeTimeout is how long the controller may take to act on the newest template. A running controller takes far less.
const observeTimeout = 10 * time.Second

// observeAgain is the time after which the object is read again, even if its watch has delivered nothing.
const observeAgain = 3 * time.Second

// errUnobserved means that the controller has not yet made the revision of the newest template. Without that revision, the
// rollbacker would go one revision too far.
var errUnobserved = errors.New("the controller has not observed the newest pod template yet")

// rollback takes one object back to an earlier revision, as kubectl's rollbacker computes it. It makes sure that the
// rollbacker reads the newest state, and that nothing has changed at the time of the write.
type rollback struct {
	// ctx is the context of run, since a rollbacker takes none.
	ctx          context.Context
	client       kubernetes.Interface
	toRevision   int64
	dryRun       cmdutil.DryRunStrategy
	fieldManager string
	// cause and syncLastApplied are additions to the patch, as in undoEdit.
	cause           *string
	syncLastApplied bool
	// before is called with the target template before the object is written. It may be nil.
	before func(*corev1.PodTemplateSpec) error

	// left is the template of the object when the command began. The rollback is to leave that template.
	left *corev1.PodTemplateSpec
	// live is the object as the rollbacker read it. revisions and replicaSets are those it chose from. answer is the object as
	// the API server returned it after the patch.
	live        workload.Object
	revisions   []appsv1.ControllerRevision
	replicaSets []appsv1.ReplicaSet
	answer      workload.Object
	// target is the ControllerRevision that was gone back to. It is nil for a Deployment.
	target *appsv1.ControllerRevision
	// chosen is the rollbacker's own patch to the target. skipped holds the revisions that were skipped because they have
	// failed.
	chosen  []byte
	skipped []int64
	// err is the last error. It is kept here, since the rollbacker only keeps its text.
	err error
	// refused is an error of before or of an altered write. It is reported without the rollbacker's words.
	refused error
}

// failed remembers an error before it passes through the rollbacker.
func (r *rollback) failed(err error) error {
	r.err = err
	return err
}

// run goes back. It returns kubectl's word for what was done.
func (r *rollback) run(ctx context.Context, kind schema.GroupKind, object runtime.Object) (string, error) {
	r.ctx, r.left = ctx, workload.TemplateOf(object)
	rollbacker, err := polymorphichelpers.RollbackerFor(kind, undoClient{Interface: r.client, rollback: r})
	if err != nil {
		return "", more(err, "; "+onlyWorkloads)
	}
	compute := func() (string, error) {
		r.err, r.refused, r.live, r.answer, r.chosen = nil, nil, nil, nil, nil
		return rollbacker.Rollback(object, nil, r.toRevision, r.dryRun)
	}
	for try := 1; ; try++ {
		done, err := compute()
		if errors.Is(r.err, errUnobserved) {
			done, err = r.onceObserved(ctx, kind, compute)
		}
		switch {
		case err == nil:
			return done, nil
		case context.Cause(ctx) != nil:
			return "", context.Cause(ctx)
		case errors.Is(r.err, rollout.ErrOvertaken):
			return "", overtaken(printers.Object{Kind: kind.Kind, Namespace: r.live.GetNamespace(), Name: r.live.GetName()})
		case r.refused != nil && !apierrors.IsConflict(r.refused):
			return "", r.refused
		case !apierrors.IsConflict(r.err) || try >= kube.ConflictTries:
			return "", r.unsaid(err, objectNamed(kind.Kind, object))
		}
		if err := kube.PauseForConflict(ctx, clock.RealClock{}, try); err != nil {
			return "", err
		}
	}
}

// unsaid adds to an error of the rollbacker the object's name and what to do next.
func (r *rollback) unsaid(err error, object printers.Object) error {
	d, is := r.live.(*appsv1.Deployment)
	switch {
	case errors.Is(r.err, errUnobserved):
		return err // this text is not the rollbacker's
	case is && d.Spec.Paused:
		return unsaid(err, object, commandOn("resume", object)+" resumes it")
	}
	if skipped := rollout.Skipped(r.skipped); skipped != "" {
		return unsaid(err, object, skipped)
	}
	return unsaid(err, object, listsRevisions(object))
}

// onceObserved computes the rollback again once the controller has observed the newest template.
func (r *rollback) onceObserved(ctx context.Context, kind schema.GroupKind, compute func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, observeTimeout, errUnobserved)
	defer cancel()
	for {
		if err := r.awaitObserved(ctx, kind); err != nil {
			return "", err
		}
		if done, err := compute(); !errors.Is(r.err, errUnobserved) {
			return done, err
		}
	}
}

// overtaken returns the error for an object that somebody else has changed meanwhile. If that was a rollback too, a second
// one would bring back the broken version.
func overtaken(object printers.Object) error {
	return fmt.Errorf("%s in namespace %q was not rolled back: somebody else has changed its pod template meanwhile; "+
		"%s shows what it is now, and --to-revision goes to a revision whatever that is", object, object.Namespace, commandOn("history", object))
}

// checkObserved keeps the object that the rollback is computed from. Without a given revision, it returns an error in two
// cases: the template has changed since the command began, or the controller has not observed it yet.
func (r *rollback) checkObserved(object workload.Object) error {
	r.live = object
	if r.toRevision == 0 && r.left != nil && !equality.Semantic.DeepEqual(r.left, workload.TemplateOf(object)) {
		return rollout.ErrOvertaken
	}
	if r.toRevision == 0 && workload.ObservedGenerationOf(object) < object.GetGeneration() {
		return errUnobserved
	}
	return nil
}

// checkRevisions returns an error if the newest ReplicaSet is not that of the newest template. If the number of replicas
// was changed together with the template, the controller makes that ReplicaSet a moment after it has observed the
// Deployment. A paused Deployment gets none, and is not rolled back either.
func (r *rollback) checkRevisions(list *appsv1.ReplicaSetList) error {
	d, ok := r.live.(*appsv1.Deployment)
	if !ok || d.Spec.Paused || r.toRevision > 0 || hasNewestRevision(d, list.Items) {
		return nil
	}
	if coming := withheld(d, list.Items); coming != nil {
		list.Items = append(list.Items, *coming)
		return nil
	}
	return r.failed(errUnobserved)
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
			Namespace: d.Namespace, OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, kindOf(d))},
			Annotations: map[string]string{workload.RevisionAnnotation: strconv.FormatInt(highest+1, 10)},
		},
		Spec: appsv1.ReplicaSetSpec{Template: d.Spec.Template},
	}
}

// hasNewestRevision reports whether the ReplicaSet of a Deployment's present template has the highest revision.
func hasNewestRevision(d *appsv1.Deployment, replicaSets []appsv1.ReplicaSet) bool {
	pointers := make([]*appsv1.ReplicaSet, len(replicaSets))
	for i := range replicaSets {
		pointers[i] = &replicaSets[i]
	}
	snapshot := rollout.NewSnapshot(d, pointers, nil)
	current := snapshot.Current()
	if current == nil {
		return false
	}
	for _, rs := range snapshot.ReplicaSets {
		if workload.RevisionOf(rs) > workload.RevisionOf(current) {
			return false
		}
	}
	return true
}

// awaitObserved waits until the object has changed and its controller has observed the change.
func (r *rollback) awaitObserved(ctx context.Context, kind schema.GroupKind) error {
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
	if cause := context.Cause(ctx); !errors.Is(cause, errUnobserved) {
		return cause
	}
	return fmt.Errorf("%s in namespace %q was not rolled back: within %s its controller has not made the revision of the newest pod template "+
		"(generation %d), so the one before is not known; see whether the controller manager runs, and try again",
		name, r.live.GetNamespace(), observeTimeout, r.live.GetGeneration())
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
func (r *rollback) watch(ctx context.Context) (watch.Interface, error) {
	options := metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector(metav1.ObjectNameField, r.live.GetName()).String(),
		ResourceVersion: r.live.GetResourceVersion(),
		// A proxy may hold back the events of a watch until it ends. Then the object is read again at that time.
		TimeoutSeconds: new(int64(observeAgain / time.Second)),
	}
	apps, namespace := r.client.AppsV1(), r.live.GetNamespace()
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

// editFor returns the additions to the patch with this body.
func (r *rollback) editFor(body []byte) *undoEdit {
	edit := &undoEdit{
		resourceVersion: r.live.GetResourceVersion(), live: r.live.GetAnnotations(), cause: r.cause, syncLastApplied: r.syncLastApplied,
	}
	if r.target = withPatch(r.revisions, body, r.live); r.target != nil {
		edit.revisionCause = r.target.Annotations[workload.ChangeCauseAnnotation]
	}
	return edit
}

// withPatch returns the newest revision with this patch, or nil if there is none.
func withPatch(revisions []appsv1.ControllerRevision, patch []byte, owner metav1.Object) *appsv1.ControllerRevision {
	var found *appsv1.ControllerRevision
	for i := range revisions {
		revision := &revisions[i]
		if metav1.IsControlledBy(revision, owner) && bytes.Equal(revision.Data.Raw, patch) && (found == nil || found.Revision < revision.Revision) {
			found = revision
		}
	}
	return found
}
