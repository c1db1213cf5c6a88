package rollout

import (
	"encoding/json"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// ChangeCauseAnnotation is where kubectl keeps why a revision was made.
const ChangeCauseAnnotation = "kubernetes.io/change-cause"

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// patch is one write to a Deployment. All that belongs together is in one, so that no moment lies between.
type patch struct {
	operations  []operation
	annotations map[string]string
}

// newPatch begins a patch that the API server refuses with a conflict if the Deployment is not d any more.
func newPatch(d *appsv1.Deployment) *patch {
	p := &patch{annotations: d.Annotations}
	p.set("/metadata/resourceVersion", d.ResourceVersion)
	return p
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

// annotate sets an annotation, or removes it where the value is empty.
func (p *patch) annotate(key, value string) {
	path := "/metadata/annotations/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	_, found := p.annotations[key]
	switch {
	case value == "" && found:
		p.operations = append(p.operations, operation{Op: "remove", Path: path})
	case value == "":
	case len(p.annotations) == 0:
		p.annotations = map[string]string{key: value}
		p.set("/metadata/annotations", p.annotations)
	default:
		p.set(path, value)
	}
}

func (p *patch) body() ([]byte, error) { return json.Marshal(p.operations) }
