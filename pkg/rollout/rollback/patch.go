package rollback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/jsonpatch"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// addition is what a rollback adds to the patch of kubectl's rollbacker. Everything goes into that one write, so that nothing can
// happen in between.
type addition struct {
	// resourceVersion is the version that the rollback was computed from. The API server refuses the patch for any other.
	resourceVersion string
	// live holds the object's annotations at that version.
	live map[string]string
	// cause is the change cause. It is nil if none was given; "" removes it.
	cause *string
	// revisionCause is the change cause of the target revision. Deployments do not need it, since kubectl restores theirs.
	revisionCause string
	// syncLastApplied rewrites the annotation of kubectl apply.
	syncLastApplied bool
}

// edit adds these changes to a rollbacker's patch. That is a JSON patch for Deployments, and a strategic merge patch for
// the others.
func (e *addition) edit(kind types.PatchType, body []byte) ([]byte, error) {
	switch kind {
	case types.JSONPatchType:
		return e.editOperations(body)
	case types.StrategicMergePatchType:
		return e.editMerge(body)
	}
	return nil, fmt.Errorf("cannot add a precondition to a patch of type %s", kind)
}

// templateOfPatch returns the pod template that a rollbacker's patch sets.
func templateOfPatch(kind types.PatchType, body []byte) (*corev1.PodTemplateSpec, error) {
	if kind != types.JSONPatchType {
		// The patch is the data of the ControllerRevision.
		template, found, err := podtemplate.OfRevision(&appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: body}})
		if err == nil && !found {
			err = errNoTemplate
		}
		return template, err
	}
	var operations []jsonpatch.Operation
	if err := json.Unmarshal(body, &operations); err != nil {
		return nil, fmt.Errorf("cannot read the patch of the rollback: %w", err)
	}
	for _, operation := range operations {
		if operation.Path == "/spec/template" {
			template := &corev1.PodTemplateSpec{}
			return template, operation.Decode(template)
		}
	}
	return nil, errNoTemplate
}

var errNoTemplate = errors.New("the patch of the rollback has no pod template")

func (e *addition) editOperations(body []byte) ([]byte, error) {
	var operations []jsonpatch.Operation
	if err := json.Unmarshal(body, &operations); err != nil {
		return nil, fmt.Errorf("cannot read the patch of the rollback: %w", err)
	}
	annotations, template, at := map[string]string{}, json.RawMessage(nil), -1
	for i, operation := range operations {
		switch operation.Path {
		case "/spec/template":
			template, _ = operation.Value.(json.RawMessage)
		case "/metadata/annotations":
			at = i
			if err := operation.Decode(&annotations); err != nil {
				return nil, fmt.Errorf("cannot read the annotations of the rollback: %w", err)
			}
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("the patch of the rollback has no annotations")
	}
	// The controller keeps copies of the record on ReplicaSets. No rollout is open any more that the copy could belong to.
	delete(annotations, rollout.Annotation)
	if e.cause != nil {
		setOrRemove(annotations, workload.ChangeCauseAnnotation, *e.cause)
	}
	if err := e.lastApplied(annotations, template); err != nil {
		return nil, err
	}
	operations[at].Value = annotations
	return json.Marshal(append([]jsonpatch.Operation{jsonpatch.Add("/metadata/resourceVersion", e.resourceVersion)}, operations...))
}

func (e *addition) editMerge(body []byte) ([]byte, error) {
	var patch struct {
		Metadata map[string]any  `json:"metadata,omitempty"`
		Spec     json.RawMessage `json:"spec"`
	}
	var spec struct {
		Template json.RawMessage `json:"template"`
	}
	if err := json.Unmarshal(body, &patch); err != nil {
		return nil, fmt.Errorf("cannot read the patch of the rollback: %w", err)
	}
	if err := json.Unmarshal(patch.Spec, &spec); err != nil {
		return nil, fmt.Errorf("cannot read the patch of the rollback: %w", err)
	}
	annotations := maps.Clone(e.live)
	if annotations == nil {
		annotations = map[string]string{}
	}
	cause := e.revisionCause
	if e.cause != nil {
		cause = *e.cause
	}
	setOrRemove(annotations, workload.ChangeCauseAnnotation, cause)
	if err := e.lastApplied(annotations, spec.Template); err != nil {
		return nil, err
	}
	patch.Metadata = map[string]any{"resourceVersion": e.resourceVersion}
	if changes := annotationChanges(e.live, annotations); len(changes) > 0 {
		patch.Metadata["annotations"] = changes
	}
	return json.Marshal(patch)
}

// setOrRemove sets an annotation, or removes it if the value is empty.
func setOrRemove(annotations map[string]string, key, value string) {
	if annotations[key] = value; value == "" {
		delete(annotations, key)
	}
}

// annotationChanges returns the annotations that a merge patch has to set. Those it has to remove have the value nil.
func annotationChanges(before, after map[string]string) map[string]any {
	changes := map[string]any{}
	for key, value := range after {
		if old, found := before[key]; !found || old != value {
			changes[key] = value
		}
	}
	for key := range before {
		if _, found := after[key]; !found {
			changes[key] = nil
		}
	}
	return changes
}

// lastApplied makes kubectl apply remember the restored template.
func (e *addition) lastApplied(annotations map[string]string, template json.RawMessage) error {
	text, found := annotations[corev1.LastAppliedConfigAnnotation]
	if !e.syncLastApplied || !found {
		return nil
	}
	restored := map[string]any{}
	if err := utiljson.Unmarshal(template, &restored); err != nil {
		return fmt.Errorf("cannot read the pod template of the rollback: %w", err)
	}
	if rewritten, ok := WithTemplate(text, restored); ok {
		annotations[corev1.LastAppliedConfigAnnotation] = rewritten
	}
	return nil
}

// WithTemplate returns a last-applied configuration with another pod template, as people write it. It returns false if it
// cannot parse the configuration.
func WithTemplate(lastApplied string, template map[string]any) (string, bool) {
	applied, ok := readLastApplied(lastApplied)
	if !ok {
		return "", false
	}
	written := podtemplate.Written(template)
	delete(written, "$patch")
	withoutRestart(written)
	if err := unstructured.SetNestedMap(applied, written, "spec", "template"); err != nil {
		return "", false
	}
	// kubectl apply ends the text with a line break, too.
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(applied); err != nil {
		return "", false
	}
	return text.String(), true
}

// withoutRestart removes the restart time from a template. No manifest has it. If apply believed that it had applied it,
// the next apply would remove it and thereby restart all pods.
func withoutRestart(template map[string]any) {
	path := []string{"metadata", "annotations"}
	unstructured.RemoveNestedField(template, append(path, podtemplate.RestartedAtAnnotation)...)
	if left, found, err := unstructured.NestedMap(template, path...); err == nil && found && len(left) == 0 {
		unstructured.RemoveNestedField(template, path...)
	}
}

// ReadsLastApplied reports whether WithTemplate can rewrite this text of kubectl apply's annotation.
func ReadsLastApplied(text string) bool {
	_, reads := readLastApplied(text)
	return reads
}

// readLastApplied parses the annotation of kubectl apply. It returns false if the text is not what apply writes.
func readLastApplied(text string) (map[string]any, bool) {
	var applied map[string]any
	if err := utiljson.Unmarshal([]byte(text), &applied); err != nil {
		return nil, false
	}
	_, found, err := unstructured.NestedMap(applied, "spec", "template")
	return applied, found && err == nil
}
