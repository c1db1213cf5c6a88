package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/migration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// manifest is a manifest of a workload that a rollout applies.
type manifest struct {
	// body is what the rollout applies: the manifest, with the replicas that must stay.
	body *unstructured.Unstructured
	// applied is the workload as a plain apply of the body would leave it.
	applied *unstructured.Unstructured
	// migration moves fields to the manager before it applies.
	migration migration.Migration
	// keepsReplicas is set if the body has the live replicas in place of the manifest's.
	keepsReplicas bool
	// staleCause is set if the workload has the change cause of an earlier revision, which an apply would keep.
	staleCause bool
	// note is the message about what the manifest asks for and the rollout does not do, or "".
	note string
}

// wantManifest asks the API server for the workload that applying the manifest results in. It fills in w with the
// answer.
func (s *session) wantManifest(ctx context.Context, w *wanted, live *liveWorkload, change Change) error {
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
	m.body.SetResourceVersion(live.typed.GetResourceVersion())
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
		err = m.immutable(live, err)
	}
	if err == nil && m.migration.Needed() {
		if err = m.migration.Finish(m.applied); err == nil {
			err = addDefaults(m.applied)
		}
	}
	if err != nil {
		return err
	}
	_, given := m.body.GetAnnotations()[workload.ChangeCauseAnnotation]
	m.staleCause = !given && m.applied.GetAnnotations()[workload.ChangeCauseAnnotation] != ""
	w.manifest, w.raw = m, m.applied
	if w.typed, err = typedWorkload(m.applied); err != nil {
		return err
	}
	if err := gateOf(w.typed).refusesManifest(w.typed); err != nil {
		return err
	}
	w.template, err = podtemplate.Of(m.applied)
	return err
}

// immutable returns a refusal that names the fields which the API server never changes, if that is why it refused the manifest.
func (m *manifest) immutable(live *liveWorkload, err error) error {
	if !apierrors.IsInvalid(err) {
		return err
	}
	fields := []string{"selector"}
	if workload.Of(live.typed).HasOrdinals {
		fields = append(fields, "serviceName", "podManagementPolicy", "volumeClaimTemplates")
	}
	var changed []string
	for _, field := range fields {
		asked, given, _ := unstructured.NestedFieldNoCopy(m.body.Object, "spec", field)
		present, _, _ := unstructured.NestedFieldNoCopy(live.raw.Object, "spec", field)
		differs := len(admission.Missing(field, asked, present)) > 0 || lengthOf(asked) != lengthOf(present)
		if given && (differs || field == "selector" && len(admission.Missing(field, present, asked)) > 0) {
			changed = append(changed, "spec."+field)
		}
	}
	if len(changed) == 0 {
		return err
	}
	kind, name := workload.ResourceOf(live.typed), live.typed.GetName()
	return fmt.Errorf("the manifest changes %s of %s %q in namespace %q, which the API server never allows; keep what there is, or %s and create it "+
		"anew, which leaves its pods running", strings.Join(changed, " and "), kind, name, live.typed.GetNamespace(),
		command.Quoted("kubectl delete %s/%s -n %s --cascade=orphan", kind, name, live.typed.GetNamespace()))
}

// lengthOf returns the length of a list, or 0 for anything else.
func lengthOf(value any) int {
	list, _ := value.([]any)
	return len(list)
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
func (m *manifest) keepLastApplied(live workload.Object, manager string) error {
	if live.GetAnnotations()[corev1.LastAppliedConfigAnnotation] == "" || manager != fieldmanager.Default && manager != "kubectl" {
		return nil
	}
	unstructured.RemoveNestedField(m.body.Object, "metadata", "annotations", corev1.LastAppliedConfigAnnotation)
	text, err := json.Marshal(m.body.Object)
	m.annotate(corev1.LastAppliedConfigAnnotation, string(text)+"\n")
	return err
}

// gated returns the body that begins a rollout: the manifest with the fields that the rollout borrows, and the record.
func (m *manifest) gated(held []heldField, record string) (*unstructured.Unstructured, error) {
	gated := &manifest{body: m.body.DeepCopy()}
	gated.annotate(Annotation, record)
	for _, field := range held {
		text, err := json.Marshal(field.value)
		if err != nil {
			return nil, err
		}
		var value any
		if err := utiljson.Unmarshal(text, &value); err != nil {
			return nil, err
		}
		if err := unstructured.SetNestedField(gated.body.Object, value, field.path...); err != nil {
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
