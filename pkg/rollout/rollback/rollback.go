// Package rollback takes a workload back to an earlier revision as kubectl rollout undo does, and makes that safe against
// races.
package rollback

import (
	"bytes"
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ErrOvertaken reports that somebody else has changed the pod template since the command began. If that was a rollback
// too, a second one would bring back the broken version.
var ErrOvertaken = errors.New("the pod template was changed meanwhile")

// RefusedError is kubectl's own refusal to go back, in its words. The caller adds which object it is about and what to do
// next.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns kubectl's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// UnsupportedError is kubectl's refusal of a kind that it cannot take back.
type UnsupportedError struct{ Err error }

func (e *UnsupportedError) Error() string { return e.Err.Error() }

// Unwrap returns kubectl's error.
func (e *UnsupportedError) Unwrap() error { return e.Err }

// Rollback takes one object back to an earlier revision, as kubectl's rollbacker computes it. It makes sure that the
// rollbacker reads the newest state, and that nothing has changed at the time of the write.
type Rollback struct {
	Client kubernetes.Interface
	// ToRevision is the revision to go back to; 0 means the one before the present one.
	ToRevision   int64
	DryRun       cmdutil.DryRunStrategy
	FieldManager string
	// Cause is the change cause of the rollback. Nil keeps that of the revision, and "" removes it.
	Cause *string
	// SyncLastApplied also rewrites the annotation of kubectl apply.
	SyncLastApplied bool
	// Before is called with the target template before the object is written. It may be nil.
	Before func(*corev1.PodTemplateSpec) error

	// ctx is the context of Run, since a rollbacker takes none.
	ctx context.Context
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
	// refused is an error of Before or of an altered write. It is reported without the rollbacker's words.
	refused error
}

// Live returns the object as the rollback last read it, or nil if it could not be read.
func (r *Rollback) Live() workload.Object { return r.live }

// Written returns the object as the API server returned it after the write, or nil if nothing was written.
func (r *Rollback) Written() workload.Object { return r.answer }

// Skipped returns the numbers of the revisions that were left out because their rollouts failed.
func (r *Rollback) Skipped() []int64 { return r.skipped }

// failed remembers an error before it passes through the rollbacker.
func (r *Rollback) failed(err error) error {
	r.err = err
	return err
}

// Run goes back. It returns kubectl's word for what was done. It returns ErrOvertaken, a RefusedError or an UnsupportedError
// for what the caller has to put into words.
func (r *Rollback) Run(ctx context.Context, kind schema.GroupKind, object runtime.Object) (string, error) {
	r.ctx, r.left = ctx, workload.TemplateOf(object)
	rollbacker, err := polymorphichelpers.RollbackerFor(kind, safeClient{Interface: r.Client, rollback: r})
	if err != nil {
		return "", &UnsupportedError{err}
	}
	compute := func() (string, error) {
		r.err, r.refused, r.live, r.answer, r.chosen = nil, nil, nil, nil, nil
		return rollbacker.Rollback(object, nil, r.ToRevision, r.DryRun)
	}
	for try := 1; ; try++ {
		done, err := compute()
		if errors.Is(r.err, ErrUnobserved) {
			done, err = r.onceObserved(ctx, kind, compute)
		}
		switch {
		case err == nil:
			return done, nil
		case context.Cause(ctx) != nil:
			return "", context.Cause(ctx)
		case errors.Is(r.err, ErrOvertaken):
			return "", ErrOvertaken
		case r.refused != nil && !apierrors.IsConflict(r.refused):
			return "", r.refused
		case errors.Is(r.err, ErrUnobserved):
			return "", err // this text is not the rollbacker's
		case !apierrors.IsConflict(r.err) || try >= kube.ConflictTries:
			return "", &RefusedError{err}
		}
		if err := kube.PauseForConflict(ctx, clock.RealClock{}, try); err != nil {
			return "", err
		}
	}
}

// checkObserved keeps the object that the rollback is computed from. Without a given revision, it returns an error in two
// cases: the template has changed since the command began, or the controller has not observed it yet.
func (r *Rollback) checkObserved(object workload.Object) error {
	r.live = object
	if r.ToRevision == 0 && r.left != nil && !equality.Semantic.DeepEqual(r.left, workload.TemplateOf(object)) {
		return ErrOvertaken
	}
	if r.ToRevision == 0 && workload.ObservedGenerationOf(object) < object.GetGeneration() {
		return ErrUnobserved
	}
	return nil
}

// editFor returns the additions to the patch with this body.
func (r *Rollback) editFor(body []byte) *addition {
	edit := &addition{
		resourceVersion: r.live.GetResourceVersion(), live: r.live.GetAnnotations(), cause: r.Cause, syncLastApplied: r.SyncLastApplied,
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
