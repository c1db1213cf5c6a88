package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/migration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// manifest is a manifest of a Deployment that a rollout applies.
type manifest struct {
	// body is what the rollout applies: the manifest, with the replicas that must stay.
	body *unstructured.Unstructured
	// applied is the Deployment as a plain apply of the body would leave it.
	applied *unstructured.Unstructured
	// migration moves fields to the manager before it applies.
	migration migration.Migration
	// keepsReplicas is set if the body has the live replicas in place of the manifest's.
	keepsReplicas bool
	// staleCause is set if the Deployment has the change cause of an earlier revision, which an apply would keep.
	staleCause bool
	// note is the message about what the manifest asks for and the rollout does not do, or "".
	note string
}

// wantManifest asks the API server for the Deployment that applying the manifest results in. It fills in w with the
// answer.
func (s *session) wantManifest(ctx context.Context, w *wanted, live *liveDeployment, change Change) error {
	own := slices.Concat(fieldmanager.Own(s.FieldManager), fieldmanager.Own(fieldmanager.Default))
	m := &manifest{
		body:      change.Manifest.DeepCopy(),
		migration: migration.Of(live.raw.GetManagedFields(), s.FieldManager, fieldmanager.Own(s.FieldManager), own),
	}
	m.body.SetNamespace(s.key.Namespace)
	err := m.keepLastApplied(live.typed, s.FieldManager)
	if err == nil {
		err = s.keepReplicas(ctx, m, live)
	}
	if err != nil {
		return err
	}
	m.body.SetResourceVersion(live.typed.ResourceVersion)
	if w.cause != "" {
		m.annotate(workload.ChangeCauseAnnotation, w.cause)
	}
	if m.applied, err = s.apply(ctx, m.body, change.Force, true); err != nil {
		err = conflictsWithOthers(err, func(manager string, operation metav1.ManagedFieldsOperationType) bool {
			updates := operation == metav1.ManagedFieldsOperationUpdate && slices.Contains(own, manager)
			return updates || m.migration.Covers(manager, operation)
		})
		if err == nil {
			m.applied, err = s.apply(ctx, m.body, true, true)
		}
	}
	if err == nil && m.migration.Needed() {
		err = m.migration.Finish(m.applied)
	}
	if err != nil {
		return err
	}
	_, given := m.body.GetAnnotations()[workload.ChangeCauseAnnotation]
	m.staleCause = !given && m.applied.GetAnnotations()[workload.ChangeCauseAnnotation] != ""
	w.manifest, w.raw = m, m.applied
	if w.typed, err = typedDeployment(m.applied); err != nil {
		return err
	}
	if err := refuseManifest(w.typed); err != nil {
		return err
	}
	w.template, err = podtemplate.Of(m.applied)
	return err
}

// refuseManifest refuses a manifest that cannot be rolled out in steps.
func refuseManifest(d *appsv1.Deployment) error {
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return fmt.Errorf("the manifest gives deployment %q in namespace %q the strategy Recreate, which stops all pods before new ones start; "+
			"give it RollingUpdate to roll it out in steps", d.Name, d.Namespace)
	}
	if d.Spec.Paused {
		return fmt.Errorf("the manifest pauses deployment %q in namespace %q; remove spec.paused from it to roll it out", d.Name, d.Namespace)
	}
	return nil
}

func (m *manifest) annotate(key, value string) {
	annotations := m.body.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	m.body.SetAnnotations(annotations)
}

// keepLastApplied keeps kubectl apply's last-applied annotation up to date under kubectl's default names, as kubectl
// apply --server-side does. Under another name it does nothing, and the apply drops the annotation, as kubectl does.
func (m *manifest) keepLastApplied(live *appsv1.Deployment, manager string) error {
	if live.Annotations[corev1.LastAppliedConfigAnnotation] == "" || manager != fieldmanager.Default && manager != "kubectl" {
		return nil
	}
	unstructured.RemoveNestedField(m.body.Object, "metadata", "annotations", corev1.LastAppliedConfigAnnotation)
	text, err := json.Marshal(m.body.Object)
	m.annotate(corev1.LastAppliedConfigAnnotation, string(text)+"\n")
	return err
}

// gated returns the body that begins a rollout: the manifest with the fields that the rollout borrows, and the record.
func (m *manifest) gated(settings Settings, record string) (*unstructured.Unstructured, error) {
	gated := &manifest{body: m.body.DeepCopy()}
	gated.annotate(Annotation, record)
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	for field, value := range fields {
		if err := unstructured.SetNestedField(gated.body.Object, value, "spec", field); err != nil {
			return nil, err
		}
	}
	return gated.body, nil
}

// tellKept emits the manifest's note, once.
func (s *session) tellKept(m *manifest) {
	if m != nil && m.note != "" && m.note != s.noted {
		s.noted = m.note
		s.emit(ProgressEvent{Message: m.note})
	}
}
