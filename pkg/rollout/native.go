package rollout

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Rewrite edits a pod template as the API server holds it.
type Rewrite func(template map[string]any) error

// NativeChange is a change of a pod template that the workload's own controller rolls out by itself.
type NativeChange struct {
	Rewrite Rewrite
	Cause   string
	// Try makes the write a dry run: the API server only reports whether it would accept it.
	Try bool
}

// WriteTemplate changes the pod template of a Deployment, StatefulSet or DaemonSet in one write. It returns the
// workload as written, and the template from before. The template is nil if nothing has changed.
func (e *Engine) WriteTemplate(ctx context.Context, w workload.Object, change NativeChange) (workload.Object, map[string]any, error) {
	kind, key := workload.ResourceOf(w), workload.KeyOf(w)
	for try := 1; ; try++ {
		object, err := kube.GetRaw(ctx, e.Client, kind+"s", key.Namespace, key.Name)
		if err != nil {
			return nil, nil, explainOn(ctx, "get", kind, key, err)
		}
		if err := refuseOpen(w, object); err != nil {
			return nil, nil, err
		}
		before, err := podtemplate.Of(object)
		if err != nil {
			return nil, nil, err
		}
		after, _ := podtemplate.CopyJSON(map[string]any(before)).(map[string]any)
		if err := change.Rewrite(after); err != nil {
			return nil, nil, err
		}
		if podtemplate.SameJSON(map[string]any(before), after) {
			return w, nil, nil
		}
		live, err := typedWorkload(object)
		if err != nil {
			return nil, nil, err
		}
		p := &patch{of: live, annotations: object.GetAnnotations()}
		p.set("/metadata/uid", object.GetUID())
		p.set("/metadata/resourceVersion", object.GetResourceVersion())
		p.template(after)
		p.annotate(workload.ChangeCauseAnnotation, change.Cause)
		written, err := e.patchWorkload(ctx, w, p, change.Try)
		switch {
		case err == nil:
			return written, before, e.sortOut(ctx, p, object, written, change.Try)
		case apierrors.IsConflict(err) && try < kube.ConflictTries:
			if err = kube.PauseForConflict(ctx, e.Clock, try); err == nil {
				continue
			}
		}
		return nil, nil, explainOn(ctx, "patch", kind, key, err)
	}
}

// sortOut returns an AlteredError if the API server stored something else than a write asked for. It takes such a write
// back, unless it was a dry run.
func (e *Engine) sortOut(ctx context.Context, p *patch, before *unstructured.Unstructured, written workload.Object, try bool) error {
	altered := p.altered(written)
	switch {
	case altered == nil:
		return nil
	case try:
		return noted(altered, "; nothing was written")
	}
	return e.takeBack(ctx, before, written, altered)
}

// typedWorkload returns a workload of any kind as a typed object.
func typedWorkload(object *unstructured.Unstructured) (workload.Object, error) {
	w := workload.New(object.GetKind())
	if w == nil {
		return nil, fmt.Errorf("no rollout is known of kind %q", object.GetKind())
	}
	return w, podtemplate.Convert(object, w)
}

// refuseOpen refuses to change a StatefulSet or DaemonSet whose stepwise rollout is open.
func refuseOpen(w workload.Object, object *unstructured.Unstructured) error {
	if workload.Of(w).HasReplicaSets {
		return nil
	}
	live, err := typedWorkload(object)
	if err != nil {
		return err
	}
	state, record, err := OpenIn(live)
	if err == nil && state != Idle {
		err = &OpenError{Kind: workload.ResourceOf(live), Name: live.GetName(), Record: record}
	}
	return err
}

func (e *Engine) patchWorkload(ctx context.Context, w workload.Object, p *patch, try bool) (workload.Object, error) {
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	resource := kube.Workloads(e.Client, workload.KindOf(w), w.GetNamespace())
	return resource.Patch(ctx, w.GetName(), types.JSONPatchType, body, e.patchOptions(try))
}

// returningTo calls the Returning hook with the template that the rollout is about to go back to.
func (s *session) returningTo(ctx context.Context, w workload.Object, template podtemplate.Template) error {
	if s.Returning == nil {
		return nil
	}
	typed, err := template.Typed()
	if err != nil {
		return err
	}
	s.Returning(ctx, w, typed, s.record)
	return nil
}
