package rollout

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// updateBeginning begins the rollout of a StatefulSet or DaemonSet, up to the first write.
type updateBeginning struct {
	*session
	change  Change
	options StartOptions
	// cause is the change-cause of the new revision.
	cause string
	// began is when the rollout began. It is fixed once, so that a repeated write is the same.
	began metav1.Time
	// tried is the encoded record of a write that was not answered, or "". failure is the error of that write.
	tried   string
	failure error
}

// startUpdate is Start for a StatefulSet or DaemonSet.
func (s *session) startUpdate(ctx context.Context, change Change, options StartOptions) (*Result, error) {
	b := &updateBeginning{session: s, change: change, options: options, began: inSeconds(s.Clock.Now())}
	for {
		result, err := b.try(ctx)
		switch {
		case err == nil && result != nil:
			return result, nil
		case err == nil:
			return s.run(ctx), nil
		}
		if err := b.again(ctx, err, b.tried != ""); err != nil {
			return nil, err
		}
	}
}

// try begins the rollout. A result means that there is nothing to drive.
func (b *updateBeginning) try(ctx context.Context) (*Result, error) {
	raw, live, err := b.settledUpdate(ctx)
	if err == nil && endedRecord(live) != nil && b.options.DryRun == DryRunNone {
		b.returned(ctx, live)
		raw, live, err = b.settledUpdate(ctx)
	}
	if err != nil {
		return nil, err
	}
	state, record, err := openUpdate(live, b.decodeRecord)
	switch {
	case err != nil:
		return nil, err
	case state != Idle && b.tried != "" && live.GetAnnotations()[Annotation] == b.tried: // the write was made, and only its answer was lost
		b.written, b.mayWrite = live, true // the watch may not have delivered the write yet
		b.launched(live, record)
		return nil, nil
	case state != Idle && state != Disturbed:
		return nil, &OpenError{Kind: workload.ResourceOf(live), Name: b.key.Name, Record: record}
	case b.refusedFor() >= beginTimeout:
		b.tried = "" // the workload shows that the rollout has not begun
		return nil, b.failure
	}
	return b.launch(ctx, raw, live)
}

// launch makes the plan, the checks and the first write.
func (b *updateBeginning) launch(ctx context.Context, raw *unstructured.Unstructured, live workload.Object) (*Result, error) {
	template, err := podtemplate.Of(raw)
	if err == nil {
		err = b.mayLaunch(ctx, live)
	}
	if err != nil {
		return nil, err
	}
	wanted, drained, err := b.wantTemplate(ctx, live, template)
	if err != nil {
		return nil, err
	}
	if podtemplate.SameJSON(map[string]any(template), map[string]any(wanted)) {
		return b.result(Unchanged, "its pod template is as it is to be already"), nil
	}
	record, planned, err := b.planUpdate(ctx, raw.Object, live)
	if err != nil {
		return nil, err
	}
	record.Plan.Patience = metav1.Duration{Duration: b.Patience}
	if record.Owners, err = b.ownersOf(live, raw, wanted); err != nil {
		return nil, err
	}
	if err := b.check(ctx, live, wanted); err != nil {
		return nil, err
	}
	planned.From = PlannedRevision{record.From.Number, podtemplate.Images(template)}
	planned.To = PlannedRevision{record.ToRevision, podtemplate.Images(wanted)}
	if drained != nil && b.planned.Steps == nil {
		b.emit(ProgressEvent{Message: drained.String()})
	}
	b.tellPlan(live, planned)
	if b.options.DryRun == DryRunClient {
		return b.result(Planned, ""), nil
	}
	return b.writeFirst(ctx, raw, live, wanted, record)
}

// tellPlan emits the plan once, and a warning about who applies the workload.
func (b *updateBeginning) tellPlan(live workload.Object, planned PlanEvent) {
	if b.planned.Steps == nil {
		b.planned = planned
		b.emit(planned)
	}
	b.warnApplied(live)
}

// check runs the checks once, however often the write is repeated. No pod exists beside the old ones, so that the
// checks ignore any surge.
func (b *updateBeginning) check(ctx context.Context, live workload.Object, template map[string]any) error {
	typed, err := podtemplate.Template(template).Typed()
	if err != nil {
		return err
	}
	wanted, _ := live.DeepCopyObject().(workload.Object)
	*workload.TemplateOf(wanted) = *typed
	options := b.options
	options.MaxSurge, b.options.SkipChecks = nil, true
	return b.CheckStart(ctx, wanted, live, options)
}

// writeFirst makes the one write with which the rollout begins.
func (b *updateBeginning) writeFirst(
	ctx context.Context, raw *unstructured.Unstructured, live workload.Object, template map[string]any, record *Record,
) (*Result, error) {
	p := newPatch(live)
	p.set("/metadata/uid", live.GetUID())
	p.template(template)
	p.annotate(workload.ChangeCauseAnnotation, b.cause)
	record.Update.hold(p, live)
	if err := p.record(record); err != nil {
		return nil, err
	}
	try := b.options.DryRun == DryRunServer
	if err := b.tryFirst(ctx, live, p); err != nil {
		return nil, err
	}
	written, err := b.patchWorkload(ctx, live, p, try)
	if err != nil {
		err = explainOn(ctx, "patch", workload.ResourceOf(live), b.key, kube.Answered(err))
		if !try && (kube.IsTransient(err) || context.Cause(ctx) != nil) {
			b.tried, _ = record.encode()
			b.failure = err
		}
		return nil, err
	}
	if try {
		return b.result(Planned, ""), nil
	}
	if err := p.altered(written); err != nil {
		return nil, b.takeBack(ctx, raw, written, err)
	}
	b.written, b.mayWrite = written, true
	b.launched(written, record)
	return nil, nil
}

// launched prepares the session to drive the rollout that has just begun.
func (b *updateBeginning) launched(workload workload.Object, record *Record) {
	b.record, b.state, b.phase, b.refusals = record, Open, stepping, refusals{}
	b.memory = b.memory.sized(stepped(workload, record.Update))
	b.meter.begin(record.Plan.Limits, b.Clock.Now())
	b.emit(StepEvent{Step: record.Step, Of: len(record.Plan.Steps), Target: TargetOf(workload, record)})
}

// settled reads the workload once its controller has acted on it. Only then does its template have a revision.
func (s *session) settledUpdate(ctx context.Context) (*unstructured.Unstructured, workload.Object, error) {
	kind := strings.ToLower(s.kind)
	limit := s.Clock.Now().Add(settleTimeout)
	for {
		raw, err := kube.GetRaw(ctx, s.Client, kind+"s", s.key.Namespace, s.key.Name)
		if err != nil {
			return nil, nil, explainOn(ctx, "get", kind, s.key, err)
		}
		live, err := typedWorkload(raw)
		if err != nil {
			return nil, nil, err
		}
		if _, recorded := live.GetAnnotations()[Annotation]; recorded || workload.ObservedGenerationOf(live) >= live.GetGeneration() {
			s.uid = live.GetUID()
			return raw, live, nil
		}
		if !s.Clock.Now().Before(limit) {
			return nil, nil, fmt.Errorf("the controller has not acted on the last change of %s %q in namespace %q for %s; "+
				"see whether the controller manager runs, then try again", kind, s.key.Name, s.key.Namespace, settleTimeout)
		}
		if err := s.sleep(ctx, limit); err != nil {
			return nil, nil, err
		}
	}
}
