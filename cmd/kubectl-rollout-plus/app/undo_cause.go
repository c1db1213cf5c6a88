package app

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// keepCause notes the cause that was given on the revision that was gone back to, where history reads it. The controller of
// a Deployment does so by itself; those of the other kinds copy it only to a revision that they make, and here they use one
// again. The rollback is made whether that succeeds or not.
func (u *undoer) keepCause(ctx context.Context, r *rollback) {
	if u.changeCause == nil || r.target == nil || r.target.Annotations[rollout.ChangeCauseAnnotation] == *u.changeCause {
		return
	}
	if err := u.annotateRevision(ctx, r); err != nil {
		_, _ = fmt.Fprintf(u.env.ErrOut, "the change cause is on %s %q, but its history goes on to tell the earlier one: "+
			"cannot patch controllerrevision %q in namespace %q: %v\n",
			kindOf(r.live).Kind, r.live.GetName(), r.target.Name, r.target.Namespace, err)
	}
}

func (u *undoer) annotateRevision(ctx context.Context, r *rollback) error {
	var cause any
	if *u.changeCause != "" {
		cause = *u.changeCause
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": r.target.UID, "annotations": map[string]any{rollout.ChangeCauseAnnotation: cause},
	}})
	if err != nil {
		return err
	}
	_, err = r.client.AppsV1().ControllerRevisions(r.target.Namespace).Patch(ctx, r.target.Name, types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: u.fieldManager})
	return err
}
