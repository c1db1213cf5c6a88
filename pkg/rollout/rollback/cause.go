package rollback

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// KeepCause writes the rollback's change cause to the revision that is now current, if its controller does not do that:
// history reads the cause there. It comes after Run, and does nothing if no cause was given or nothing was written.
func (r *Rollback) KeepCause(ctx context.Context) error {
	if r.Cause == nil || r.answer == nil {
		return nil
	}
	revision := r.uncaused(*r.Cause)
	if revision == nil || revision.GetAnnotations()[workload.ChangeCauseAnnotation] == *r.Cause {
		return nil
	}
	if err := r.annotateRevision(ctx, revision); err != nil {
		return fmt.Errorf("%s %q has the change cause that was given, but its history goes on to tell the earlier one: "+
			"cannot patch %s %q in namespace %q: %w", workload.KindOf(r.live), r.live.GetName(),
			strings.TrimSuffix(resourceOf(revision), "s"), revision.GetName(), revision.GetNamespace(), err)
	}
	return nil
}

// uncaused returns the revision that is now current, or nil if its controller writes this cause there. The Deployment
// controller updates annotations of a ReplicaSet that it uses again, but removes none. The other controllers write the
// cause only to a revision that they create.
func (r *Rollback) uncaused(cause string) metav1.Object {
	d, is := r.answer.(*appsv1.Deployment)
	switch {
	case !is && r.target != nil:
		return r.target
	case !is || cause != "":
		return nil
	}
	for i := range r.replicaSets {
		if rs := &r.replicaSets[i]; metav1.IsControlledBy(rs, d) && workload.SameTemplate(&rs.Spec.Template, &d.Spec.Template) {
			return rs
		}
	}
	return nil
}

func (r *Rollback) annotateRevision(ctx context.Context, revision metav1.Object) error {
	var cause any
	if *r.Cause != "" {
		cause = *r.Cause
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": revision.GetUID(), "annotations": map[string]any{workload.ChangeCauseAnnotation: cause},
	}})
	if err != nil {
		return err
	}
	return r.Client.AppsV1().RESTClient().Patch(types.MergePatchType).
		Namespace(revision.GetNamespace()).Resource(resourceOf(revision)).Name(revision.GetName()).
		VersionedParams(&metav1.PatchOptions{FieldManager: r.FieldManager}, metav1.ParameterCodec).Body(body).Do(ctx).Error()
}

// resourceOf returns the API resource of a revision.
func resourceOf(revision metav1.Object) string {
	if _, is := revision.(*appsv1.ReplicaSet); is {
		return "replicasets"
	}
	return "controllerrevisions"
}
