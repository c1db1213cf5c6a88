package rollout

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/jsonpatch"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// patch is one write to a workload. Changes that belong together are in one patch, so that no moment lies between them.
type patch struct {
	// of is the workload as it was before the write.
	of          workload.Object
	operations  []jsonpatch.Operation
	annotations map[string]string
	// tested is set if the patch carries its preconditions as test operations.
	tested bool
}

// newPatch begins a patch that the API server refuses with a conflict if the workload has changed in any way.
func newPatch(w workload.Object) *patch {
	p := &patch{of: w, annotations: w.GetAnnotations()}
	p.set("/metadata/resourceVersion", w.GetResourceVersion())
	return p
}

// newGatePatch begins a patch that the API server refuses if the workload is another one, or if its spec or the
// rollout's record have changed. A new status is no reason to refuse the patch: the controller writes one with every
// pod that comes and goes. Otherwise hardly a move of the gate would succeed at the first try. While all new pods
// crash, the way back might fail for long.
func newGatePatch(w workload.Object) *patch {
	annotations := w.GetAnnotations()
	if annotations[Annotation] == "" {
		return newPatch(w)
	}
	return &patch{of: w, tested: true, annotations: annotations, operations: []jsonpatch.Operation{
		jsonpatch.Test("/metadata/uid", w.GetUID()),
		jsonpatch.Test("/metadata/generation", w.GetGeneration()),
		jsonpatch.Test(annotationPath(Annotation), annotations[Annotation]),
	}}
}

// refused turns the API server's answer to a failed test into the conflict that it is. That answer is an Invalid error,
// and differs from the one about an invalid Deployment only in not naming any object.
func (p *patch) refused(err error) error {
	var status apierrors.APIStatus
	if !p.tested || !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return err
	}
	if details := status.Status().Details; details != nil && (details.Kind != "" || len(details.Causes) > 0) {
		return err
	}
	changed := errors.New("the object has been modified; please apply your changes to the latest version and try again") // the server's words
	return apierrors.NewConflict(appsv1.Resource(workload.ResourceOf(p.of)+"s"), p.of.GetName(), changed)
}

// set adds or replaces a field.
func (p *patch) set(path string, value any) {
	p.operations = append(p.operations, jsonpatch.Add(path, value))
}

// hold sets a field that holds a rollout.
func (p *patch) hold(field heldField) { p.set("/"+strings.Join(field.path, "/"), field.value) }

func (p *patch) template(template podtemplate.Template) { p.set("/spec/template", template) }

func (p *patch) settings(settings Settings) {
	p.set("/spec/strategy", settings.Strategy)
	p.set("/spec/minReadySeconds", settings.MinReadySeconds)
	if settings.ProgressDeadlineSeconds != nil {
		p.set("/spec/progressDeadlineSeconds", *settings.ProgressDeadlineSeconds)
	}
}

// gated returns the settings that close the gate, with the given opening as their strategy.
func gated(strategy appsv1.DeploymentStrategy) Settings {
	deadline := int32(GateProgressDeadlineSeconds)
	return Settings{Strategy: strategy, MinReadySeconds: GateMinReadySeconds, ProgressDeadlineSeconds: &deadline}
}

func (p *patch) record(record *Record) error {
	text, err := record.encode()
	p.annotate(Annotation, text)
	return err
}

// withoutRecord removes the record, which ends its rollout.
func (p *patch) withoutRecord() { p.annotate(Annotation, "") }

// annotate sets an annotation, or removes it if the value is empty. Without tests, it writes all annotations together:
// removing a single one that somebody else has just removed would be an invalid patch, and not a conflict that can be
// retried. With tests, it writes each annotation by itself, since changes of other annotations are no reason to refuse
// the patch.
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
		p.set("/metadata/annotations", map[string]string(nil)) // writing an empty map would make us its owner
	case !p.tested:
		p.set("/metadata/annotations", p.annotations)
	case value == "":
		p.operations = append(p.operations, jsonpatch.Remove(annotationPath(key)))
	default:
		p.set(annotationPath(key), value)
	}
}

// annotationPath returns the path of an annotation.
func annotationPath(key string) string { return "/metadata/annotations/" + jsonpatch.Escaped(key) }

func (p *patch) body() ([]byte, error) { return json.Marshal(p.operations) }
