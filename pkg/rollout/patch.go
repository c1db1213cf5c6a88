package rollout

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ChangeCauseAnnotation is where kubectl keeps why a revision was made.
const ChangeCauseAnnotation = "kubernetes.io/change-cause"

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patch is one write to a Deployment. All that belongs together is in one, so that no moment lies between.
type patch struct {
	// of is the workload as it was before.
	of          Workload
	operations  []operation
	annotations map[string]string
	// tested patches carry their preconditions as tests.
	tested bool
}

// newPatch begins a patch that the API server refuses with a conflict if the workload is not as it is here any more.
func newPatch(w Workload) *patch {
	p := &patch{of: w, annotations: w.GetAnnotations()}
	p.set("/metadata/resourceVersion", w.GetResourceVersion())
	return p
}

// newGatePatch begins a patch that the API server refuses if the workload is another one, or its spec or the rollout's
// record have changed. A new status is no reason to refuse it: the controller writes one with every pod that comes and
// goes, so that hardly a move of the gate would pass at the first try, and where all new pods crash the way back might not
// for long.
func newGatePatch(w Workload) *patch {
	annotations := w.GetAnnotations()
	if annotations[Annotation] == "" {
		return newPatch(w)
	}
	return &patch{of: w, tested: true, annotations: annotations, operations: []operation{
		{Op: "test", Path: "/metadata/uid", Value: w.GetUID()},
		{Op: "test", Path: "/metadata/generation", Value: w.GetGeneration()},
		{Op: "test", Path: annotationPath(Annotation), Value: annotations[Annotation]},
	}}
}

// refused turns the API server's answer to a test that did not hold into the conflict that it is. The server tells it
// from an invalid Deployment only by not naming one.
func (p *patch) refused(err error) error {
	var status apierrors.APIStatus
	if !p.tested || !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return err
	}
	if details := status.Status().Details; details != nil && (details.Kind != "" || len(details.Causes) > 0) {
		return err
	}
	return apierrors.NewConflict(appsv1.Resource("deployments"), "", err)
}

// set adds or replaces a field.
func (p *patch) set(path string, value any) {
	p.operations = append(p.operations, operation{Op: "add", Path: path, Value: value})
}

func (p *patch) template(template rawTemplate) { p.set("/spec/template", template) }

func (p *patch) settings(settings Settings) {
	p.set("/spec/strategy", settings.Strategy)
	p.set("/spec/minReadySeconds", settings.MinReadySeconds)
	if settings.ProgressDeadlineSeconds != nil {
		p.set("/spec/progressDeadlineSeconds", *settings.ProgressDeadlineSeconds)
	}
}

// gated closes the gate at this opening.
func gated(strategy appsv1.DeploymentStrategy) Settings {
	deadline := int32(GateProgressDeadlineSeconds)
	return Settings{Strategy: strategy, MinReadySeconds: GateMinReadySeconds, ProgressDeadlineSeconds: &deadline}
}

func (p *patch) record(record *Record) error {
	text, err := record.encode()
	p.annotate(Annotation, text)
	return err
}

// withoutRecord ends the rollout that the record is of.
func (p *patch) withoutRecord() { p.annotate(Annotation, "") }

// annotate sets an annotation, or removes it where the value is empty. Without tests all annotations are written together:
// removing a single one that somebody else has just removed would not be a conflict, to be tried again, but an invalid
// patch. With tests each is written by itself, since what others write to their own is no reason to refuse the patch.
func (p *patch) annotate(key, value string) {
	if p.annotations[key] == value {
		return
	}
	p.annotations = maps.Clone(p.annotations)
	if p.annotations == nil {
		p.annotations = map[string]string{}
	}
	if p.annotations[key] = value; value == "" {
		delete(p.annotations, key)
	}
	switch {
	case !p.tested && len(p.annotations) == 0:
		p.set("/metadata/annotations", map[string]string(nil)) // whoever writes an empty map owns it
	case !p.tested:
		p.set("/metadata/annotations", p.annotations)
	case value == "":
		p.operations = append(p.operations, operation{Op: "remove", Path: annotationPath(key)})
	default:
		p.set(annotationPath(key), value)
	}
}

// annotationPath is where an annotation is, as a JSON pointer (RFC 6901).
func annotationPath(key string) string {
	return "/metadata/annotations/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

func (p *patch) body() ([]byte, error) { return json.Marshal(p.operations) }
