package rollout

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/jsonpatch"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// altered returns an AlteredError if the stored workload lacks what a rollout relies on. It compares the fields that a
// rollout borrows, its record, and the changes of the pod template.
func (p *patch) altered(stored workload.Object) error {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(stored)
	if err != nil {
		return err
	}
	var fields []admission.Field
	for i := range p.operations {
		found, err := alteredBy(&p.operations[i], p.of, object)
		if err != nil {
			return err
		}
		fields = append(fields, found...)
	}
	if len(fields) == 0 {
		return nil
	}
	return &admission.AlteredError{Fields: fields}
}

// alteredBy returns what a stored workload lacks of one operation of a patch.
func alteredBy(o *jsonpatch.Operation, before workload.Object, stored map[string]any) ([]admission.Field, error) {
	path := strings.Split(strings.TrimPrefix(o.Path, "/"), "/")
	annotations, _, _ := unstructured.NestedStringMap(stored, "metadata", "annotations")
	switch {
	case o.Op == "add" && o.Path == annotationPath(Annotation):
		return recordMissing(o.Value, annotations), nil
	case o.Op == "add" && o.Path == "/metadata/annotations":
		wanted, _ := o.Value.(map[string]string)
		if text := wanted[Annotation]; text != "" {
			return recordMissing(text, annotations), nil
		}
	case o.Op == "add" && o.Path == "/spec":
		spec, _ := o.Value.(map[string]any)
		template, _ := spec["template"].(map[string]any)
		return admission.TemplateFieldsSetBack(before, template, stored)
	case o.Op == "add" && o.Path == "/spec/template":
		template, _ := o.Value.(podtemplate.Template)
		return admission.TemplateFieldsSetBack(before, template, stored)
	case o.Op == "add" && path[0] == "spec" && len(path) > 1:
		value, _, _ := unstructured.NestedFieldNoCopy(stored, path...)
		return admission.Missing(strings.Join(path, "."), o.Value, value), nil
	}
	return nil, nil
}

func recordMissing(asked any, annotations map[string]string) []admission.Field {
	if stored := annotations[Annotation]; stored != "" {
		return admission.Missing("metadata.annotations["+Annotation+"]", asked, stored)
	}
	return admission.Missing("metadata.annotations["+Annotation+"]", asked, nil)
}

// warnApplied emits a warning once if a tool applies the workload's manifest, since the tool will do so again.
func (s *session) warnApplied(w workload.Object) {
	applier := fieldmanager.AppliedBy(w)
	if applier == nil || s.toldApplier {
		return
	}
	s.toldApplier = true
	s.emit(ProgressEvent{Message: "warning: " + applier.Warning(fmt.Sprintf("%s %q in namespace %q", workload.ResourceOf(w), s.key.Name, s.key.Namespace))})
}

// openIn finds the open rollout of the session's workload. The session still knows a record that somebody has
// removed.
func (s *session) openIn(snapshot *Snapshot) (State, *Record, error) {
	state, record, err := gateOf(snapshot.Workload).state(snapshot, s.decodeRecord)
	if err != nil && s.record != nil && snapshot.Workload.GetAnnotations()[Annotation] == "" {
		return state, s.record, nil
	}
	return state, record, err
}

// noted adds the fate of the write to an AlteredError.
func noted(err error, after string) error {
	if altered, is := err.(*admission.AlteredError); is { //nolint:errorlint // it was made just before
		altered.After = after
	}
	return err
}

// takeBack restores the spec and the metadata that a workload had before the write which began its rollout. It is for a
// write that was altered, and fails if somebody else has changed the spec since. It always returns altered, with a note
// about the outcome.
func (e *Engine) takeBack(ctx context.Context, before *unstructured.Unstructured, written workload.Object, altered error) error {
	p := &patch{of: written, tested: true, operations: []jsonpatch.Operation{
		jsonpatch.Test("/metadata/uid", written.GetUID()),
		jsonpatch.Test("/metadata/generation", written.GetGeneration()),
	}}
	p.set("/spec", before.Object["spec"])
	annotations := map[string]string{}
	for key, value := range before.GetAnnotations() {
		annotations[key] = value
	}
	if revision := written.GetAnnotations()[workload.RevisionAnnotation]; revision != "" {
		annotations[workload.RevisionAnnotation] = revision
	}
	p.set("/metadata/annotations", annotations)
	labels := before.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	p.set("/metadata/labels", labels)
	_, err := e.patchWorkload(ctx, written, p, false)
	if err = p.refused(kube.Answered(err)); err == nil {
		return noted(altered, "; the write was taken back at once")
	}
	if apierrors.IsConflict(err) {
		return noted(altered, "; the write could not be taken back, since somebody else has written, too")
	}
	return noted(altered, fmt.Sprintf("; the write could not be taken back: %v", err))
}

// afterAltered handles a write that was stored in another form. A rollout that can no longer be held at its step goes
// back at once, from what this process knows. If the way back is altered as well, the session fails.
func (s *session) afterAltered(ctx context.Context, altered *admission.AlteredError, held bool) *Result {
	if held && s.altered != nil {
		return s.failed(ctx, altered.Error()+"; the way back was altered, too")
	}
	s.emit(ProgressEvent{Message: altered.Error()})
	if held {
		s.altered, s.why = altered, altered.Error()
	}
	return nil
}

// tryBegin makes the write that begins a rollout as a dry run. refused means that the API server would not accept it.
// The write itself may still succeed, since some webhooks take part in no dry run.
func (b *beginning) tryBegin(ctx context.Context, p *prepared) (refused bool, err error) {
	stored, err := b.firstWrite(ctx, p, true)
	if err != nil {
		return true, err
	}
	asked, err := p.asks()
	if err == nil {
		err = noted(asked.altered(stored), "; nothing was written")
	}
	return false, err
}

// beginWrite makes the write that begins a rollout, after a dry run of it. If the write was altered, it takes the write
// back.
func (b *beginning) beginWrite(ctx context.Context, p *prepared) (workload.Object, error) {
	if !b.triedFirst {
		b.triedFirst = true
		if refused, err := b.tryBegin(ctx, p); err != nil && !refused {
			return nil, err
		}
	}
	b.meter.begin(p.record.Plan.Limits, b.Clock.Now())
	written, err := b.firstWrite(ctx, p, false)
	if err != nil {
		return nil, err
	}
	asked, err := p.asks()
	if err == nil {
		err = asked.altered(written)
	}
	if err != nil {
		return nil, b.takeBack(ctx, p.live.raw, written, err)
	}
	return written, nil
}
