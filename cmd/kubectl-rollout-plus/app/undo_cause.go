package app

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

// keepCause writes the given cause to the revision that is now current, if its controller does not do that: history reads
// the cause there. A failure only prints a message, since the rollback is made already.
func (u *undoer) keepCause(ctx context.Context, r *rollback) {
	if u.changeCause == nil {
		return
	}
	revision := r.uncaused(*u.changeCause)
	if revision == nil || revision.GetAnnotations()[workload.ChangeCauseAnnotation] == *u.changeCause {
		return
	}
	if err := u.annotateRevision(ctx, r, revision); err != nil {
		_, _ = fmt.Fprintf(u.env.ErrOut, "%s %q has the change cause that was given, but its history goes on to tell the earlier one: "+
			"cannot patch %s %q in namespace %q: %v\n", kindOf(r.live).Kind, r.live.GetName(),
			strings.TrimSuffix(resourceOf(revision), "s"), revision.GetName(), revision.GetNamespace(), err)
	}
}

// uncaused returns the revision that is now current, or nil if its controller writes this cause there. The Deployment
// controller updates annotations of a ReplicaSet that it uses again, but removes none. The other controllers write the
// cause only to a revision that they create.
func (r *rollback) uncaused(cause string) metav1.Object {
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

func (u *undoer) annotateRevision(ctx context.Context, r *rollback, revision metav1.Object) error {
	var cause any
	if *u.changeCause != "" {
		cause = *u.changeCause
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": revision.GetUID(), "annotations": map[string]any{workload.ChangeCauseAnnotation: cause},
	}})
	if err != nil {
		return err
	}
	return r.client.AppsV1().RESTClient().Patch(types.MergePatchType).
		Namespace(revision.GetNamespace()).Resource(resourceOf(revision)).Name(revision.GetName()).
		VersionedParams(&metav1.PatchOptions{FieldManager: u.fieldManager}, metav1.ParameterCodec).Body(body).Do(ctx).Error()
}

// resourceOf returns the API resource of a revision.
func resourceOf(revision metav1.Object) string {
	if _, is := revision.(*appsv1.ReplicaSet); is {
		return "replicasets"
	}
	return "controllerrevisions"
}
