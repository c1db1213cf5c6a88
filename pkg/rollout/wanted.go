package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

// wanted is a Deployment as it is to be in the end.
type wanted struct {
	typed    *appsv1.Deployment
	template rawTemplate
	cause    string
	// drained tells of the preStop hooks that were added, nil where none were asked for.
	drained *Drained
	// manifest and raw are set where the whole Deployment comes from a manifest: what was given, and what the API
	// server makes of it.
	manifest *unstructured.Unstructured
	raw      *unstructured.Unstructured
}

// want works out what a change makes of a Deployment.
func (s *session) want(ctx context.Context, live *liveDeployment, snapshot *Snapshot, change Change) (*wanted, error) {
	w := &wanted{cause: change.Cause}
	var err error
	switch {
	case change.Manifest != nil:
		return w, s.wantManifest(ctx, w, live, change)
	case change.ToRevision != nil:
		var own string
		if w.template, own, err = s.templateOfRevision(ctx, snapshot, *change.ToRevision); change.OwnCause {
			w.cause = own
		}
	default:
		w.template, err = templateOf(live.raw)
	}
	if err != nil {
		return nil, err
	}
	for _, image := range change.Images {
		if err := w.template.setImage(image); err != nil {
			return nil, &OptionError{Option: "image", Err: fmt.Errorf("deployment %q in namespace %q: %w", s.key.Name, s.key.Namespace, err)}
		}
	}
	for _, env := range change.Env {
		if err := w.template.setEnv(env); err != nil {
			return nil, &OptionError{Option: "env", Err: fmt.Errorf("deployment %q in namespace %q: %w", s.key.Name, s.key.Namespace, err)}
		}
	}
	if change.Drain > 0 {
		w.drained = new(AddDrain(w.template, change.Drain))
	}
	if change.Restart {
		w.template.setRestarted(RestartedAt(&live.typed.Spec.Template, s.Clock.Now()))
	}
	if change.Rewrite != nil {
		if err := change.Rewrite(w.template); err != nil {
			return nil, err
		}
	}
	w.typed = live.typed.DeepCopy()
	template, err := w.template.typed()
	if err != nil {
		return nil, err
	}
	w.typed.Spec.Template = *template
	return w, nil
}

// templateOfRevision is the pod template of an earlier revision, and why that was made; 0 is the one before the present.
// The texts are those of kubectl rollout undo.
func (s *session) templateOfRevision(ctx context.Context, snapshot *Snapshot, revision int64) (template rawTemplate, cause string, err error) {
	var found *appsv1.ReplicaSet
	current := snapshot.Current()
	for _, rs := range snapshot.ReplicaSets {
		switch number := RevisionOf(rs); {
		case revision > 0 && number == revision:
			found = rs
		case revision == 0 && rs != current && (found == nil || number > RevisionOf(found)):
			found = rs
		}
	}
	if found == nil && revision == 0 {
		return nil, "", fmt.Errorf("no rollout history found for deployment %q in namespace %q; there is nothing to go back to", s.key.Name, s.key.Namespace)
	}
	if found == nil {
		return nil, "", fmt.Errorf("unable to find specified revision %d in history: deployment %q in namespace %q; "+
			"'kubectl rollout-plus history deployment/%s -n %s' lists the revisions",
			revision, s.key.Name, s.key.Namespace, s.key.Name, s.key.Namespace)
	}
	object, err := getRaw(ctx, s.Client, "replicasets", s.key.Namespace, found.Name)
	if err != nil {
		return nil, "", err
	}
	template, err = templateOf(object)
	return template, object.GetAnnotations()[ChangeCauseAnnotation], err
}

// wantManifest asks the API server what applying the manifest makes of the Deployment.
func (s *session) wantManifest(ctx context.Context, w *wanted, live *liveDeployment, change Change) error {
	w.manifest = change.Manifest.DeepCopy()
	w.manifest.SetNamespace(s.key.Namespace)
	if w.cause != "" {
		annotations := w.manifest.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[ChangeCauseAnnotation] = w.cause
		w.manifest.SetAnnotations(annotations)
	}
	w.manifest.SetResourceVersion(live.typed.ResourceVersion)
	var err error
	w.raw, err = s.apply(ctx, w.manifest, change.Force, true)
	if onlyOwnConflicts(err, s.FieldManager) {
		w.raw, err = s.apply(ctx, w.manifest, true, true)
	}
	if err != nil {
		return err
	}
	if w.typed, err = typedDeployment(w.raw); err != nil {
		return err
	}
	if w.typed.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return fmt.Errorf("the manifest gives deployment %q in namespace %q the strategy Recreate, which stops all pods before new ones start; "+
			"give it RollingUpdate to roll it out in steps", s.key.Name, s.key.Namespace)
	}
	if w.typed.Spec.Paused {
		return fmt.Errorf("the manifest pauses deployment %q in namespace %q; remove spec.paused from it to roll it out", s.key.Name, s.key.Namespace)
	}
	w.template, err = templateOf(w.raw)
	return err
}

// known refuses a manifest that changes nothing of the pod template but fields that this client does not know: the controller
// may know them, and would replace the pods without any step.
func (w *wanted) known(live *unstructured.Unstructured) error {
	if w.manifest == nil {
		return nil
	}
	template, err := templateOf(live)
	if err != nil || sameJSON(map[string]any(template), map[string]any(w.template)) {
		return err
	}
	return fmt.Errorf("the manifest changes only fields of the pod template of deployment %q in namespace %q that this version of "+
		"kubectl rollout-plus does not know; a newer one may roll them out", w.manifest.GetName(), w.manifest.GetNamespace())
}

// apply is a server-side apply, as kubectl apply --server-side does it.
func (s *session) apply(ctx context.Context, manifest *unstructured.Unstructured, force, dryRun bool) (*unstructured.Unstructured, error) {
	body, err := manifest.MarshalJSON()
	if err != nil {
		return nil, err
	}
	options := s.patchOptions(dryRun)
	options.Force, options.FieldValidation = &force, metav1.FieldValidationStrict
	result := s.Client.AppsV1().RESTClient().Patch(types.ApplyPatchType).Namespace(s.key.Namespace).Resource("deployments").
		Name(s.key.Name).VersionedParams(&options, metav1.ParameterCodec).SetHeader("Accept", "application/json").Body(body).Do(ctx)
	// Only Error reads what the API server says of a refusal, such as the fields in conflict.
	if err := result.Error(); err != nil {
		return nil, applyError(answered(err))
	}
	answer, err := result.Raw()
	if err != nil {
		return nil, answered(err)
	}
	applied := &unstructured.Unstructured{}
	return applied, applied.UnmarshalJSON(answer)
}

// ApplyConflictError tells which fields of a manifest others manage.
type ApplyConflictError struct{ Err error }

// Unwrap gives the API server's answer.
func (e *ApplyConflictError) Unwrap() error { return e.Err }

func (e *ApplyConflictError) Error() string {
	return fmt.Sprintf("%v; take the fields over with --force-conflicts, or remove them from the manifest", e.Err)
}

// applyError separates a conflict between field managers from one with a newer version of the object.
func applyError(err error) error {
	if apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) {
		return &ApplyConflictError{Err: err}
	}
	return err
}

// onlyOwnConflicts tells whether no other manager than our own stands against a manifest: what an earlier start set,
// the next one may change.
func onlyOwnConflicts(err error, name string) bool {
	var conflict *ApplyConflictError
	var status *apierrors.StatusError
	if !errors.As(err, &conflict) || !errors.As(err, &status) || status.ErrStatus.Details == nil {
		return false
	}
	for _, cause := range status.ErrStatus.Details.Causes {
		isOwn := func(own string) bool { return strings.Contains(cause.Message, fmt.Sprintf("conflict with %q", own)) }
		if !slices.ContainsFunc(fieldmanager.Own(name), isOwn) {
			return false
		}
	}
	return true
}

// fill writes what is wanted into the patch that begins the rollout.
func (w *wanted) fill(p *patch) {
	if w.manifest == nil {
		p.template(w.template)
		p.annotate(ChangeCauseAnnotation, w.cause)
		return
	}
	spec, _, _ := unstructured.NestedMap(w.raw.Object, "spec")
	p.set("/spec", spec)
	if labels := w.raw.GetLabels(); labels != nil {
		p.set("/metadata/labels", labels)
	}
	annotations := w.raw.GetAnnotations()
	if _, given := w.manifest.GetAnnotations()[ChangeCauseAnnotation]; !given {
		delete(annotations, ChangeCauseAnnotation)
	}
	if len(annotations) > 0 {
		p.set("/metadata/annotations", annotations)
	}
	p.annotations = annotations
}

// applyAll applies the manifest as it is.
func (w *wanted) applyAll(ctx context.Context, s *session, resourceVersion string) error {
	manifest := w.manifest.DeepCopy()
	manifest.SetResourceVersion(resourceVersion)
	_, err := s.apply(ctx, manifest, true, false)
	return err
}

func sameSettings(a, b Settings) bool { return apiequality.Semantic.DeepEqual(a, b) }
