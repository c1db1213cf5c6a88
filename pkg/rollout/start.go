package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// settleTimeout is how long a command waits for the controller to act on a change made just before.
const settleTimeout = 10 * time.Second

// prepared is a rollout that is ready to begin.
type prepared struct {
	live   *liveWorkload
	wanted *wanted
	// record is nil if nothing has to be rolled out.
	record  *Record
	planned PlanEvent
	// from is the revision of the present template.
	from Revision
	// replicas is the number of pods that the steps apply to.
	replicas int32
	// bare is set if there are no pods to hold: no record is written, and the workload has its own fields at once.
	bare bool
}

// prepare prepares a rollout from the present workload, and refuses one that cannot be done.
func (b *beginning) prepare(ctx context.Context) (*prepared, error) {
	live, snapshot, err := b.settle(ctx)
	if err == nil && endedRecord(live.typed) != nil && b.options.DryRun == DryRunNone {
		b.returned(ctx, live.typed)
		live, snapshot, err = b.settle(ctx)
	}
	if err != nil {
		return nil, err
	}
	b.seen = live.typed
	if err := b.mayBegin(ctx, live, &snapshot); err != nil {
		return nil, err
	}
	target, err := b.want(ctx, live, &snapshot, b.change)
	if err != nil {
		return nil, err
	}
	ready := &prepared{live: live, wanted: target, from: gateOf(live.typed).from(&snapshot)}
	if gateOf(live.typed).same(live, target) {
		return ready, target.known(live.raw)
	}
	if err := b.plan(ready, &snapshot); err != nil {
		return nil, err
	}
	ready.record.Note = b.change.Note
	ready.record.Plan.Patience = metav1.Duration{Duration: b.Patience}
	return ready, b.note(ready, live)
}

// mayBegin refuses a workload that a rollout cannot begin on. It reads the revision of the present template into the snapshot.
func (b *beginning) mayBegin(ctx context.Context, live *liveWorkload, snapshot *Snapshot) error {
	g := gateOf(live.typed)
	state, record, err := g.state(snapshot, b.decodeRecord)
	switch {
	case err != nil:
		return err
	case state != Idle && state != Disturbed:
		return &OpenError{Kind: workload.ResourceOf(live.typed), Name: b.key.Name, Record: record}
	}
	refusal := g.refuses(snapshot, &b.change, &b.options)
	if refusal == nil && state == Disturbed {
		live.typed = b.freed(live.typed, record)
	}
	if b.change.overtaken(workload.TemplateOf(live.typed)) {
		return ErrOvertaken
	}
	if refusal != nil || b.hasReplicaSets() {
		return refusal
	}
	if err := b.mayReplace(ctx, live.typed); err != nil {
		return err
	}
	snapshot.Newest, err = b.revisionOfTemplate(ctx, live.typed)
	return err
}

// mayReplace refuses a StatefulSet or DaemonSet if a right is missing, or if its controller is still replacing pods. An edit of
// configuration may come while another version is still being rolled out.
func (b *beginning) mayReplace(ctx context.Context, live workload.Object) error {
	if b.change.onlyRewrites() {
		return nil
	}
	if b.options.DryRun != DryRunClient {
		if err := b.CheckStepRights(ctx, live); err != nil {
			return err
		}
	}
	busy, err := history.UnderWay(ctx, b.Client, live)
	if err == nil && busy {
		err = errUnderWay(live)
	}
	return err
}

// plan fills in the record, and the event that shows its plan.
func (b *beginning) plan(p *prepared, snapshot *Snapshot) error {
	g, target := gateOf(p.wanted.typed), p.wanted.typed
	record := &Record{
		SchemaVersion: recordVersion, From: p.from, ToRevision: g.next(snapshot, p),
		Plan: plan.Plan{Hold: metav1.Duration{Duration: b.options.Hold}, OnFailure: b.options.OnFailure},
		Step: 1, StartedAt: b.began,
	}
	p.record = record.alive(b.began.Time)
	err := g.borrow(p, &b.options)
	if err != nil {
		return err
	}
	p.replicas = g.size(target, p.record)
	if p.record.Plan.Steps, err = b.options.Steps.Complete().For(p.replicas); err != nil {
		return &plan.OptionError{Option: "steps", Err: err}
	}
	resolved, err := g.limits(target, p.record.Plan.Limits)
	if err != nil {
		return err
	}
	steps, err := g.preview(target, p.record)
	if err != nil {
		return err
	}
	g.shut(p, resolved)
	p.planned = PlanEvent{
		Replicas: p.replicas, Limits: resolved, Steps: steps,
		From: PlannedRevision{p.from.Number, podtemplate.ImagesOf(workload.TemplateOf(p.live.typed))},
		To:   PlannedRevision{p.record.ToRevision, podtemplate.ImagesOf(workload.TemplateOf(target))},
	}
	return nil
}

// begin emits the plan and closes the gate. A result means that there is nothing to drive.
func (b *beginning) begin(ctx context.Context, p *prepared) (*Result, error) {
	b.tellKept(p.wanted.manifest)
	if p.record == nil {
		return b.unchanged(ctx, p)
	}
	// A repeated write mostly has the same plan, which is not emitted again.
	if !equality.Semantic.DeepEqual(b.lastPlan, p.planned) {
		b.lastPlan = p.planned
		if p.wanted.drained != nil {
			b.emit(ProgressEvent{Message: p.wanted.drained.String()})
		}
		b.emit(p.planned)
	}
	b.warnApplied(p.live.typed)
	switch b.options.DryRun {
	case DryRunClient:
		return b.result(Planned, ""), nil
	case DryRunServer:
		_, err := b.tryBegin(ctx, p)
		return b.result(Planned, ""), err
	case DryRunNone:
	}
	written, err := b.beginWrite(ctx, p)
	if err != nil {
		return nil, err
	}
	b.wrote(written)
	b.begun(ctx, p)
	return nil, nil
}

// firstWrite makes the write that begins a rollout. It contains the new version and, if there are pods to replace, the
// gate: no moment lies between the two.
func (b *beginning) firstWrite(ctx context.Context, p *prepared, dryRun bool) (workload.Object, error) {
	if p.wanted.manifest != nil {
		return b.applyFirst(ctx, p, dryRun)
	}
	first, err := p.asks()
	if err != nil {
		return nil, err
	}
	written, err := b.patchWorkload(ctx, p.live.typed, first, dryRun)
	if err != nil {
		return nil, explainOn(ctx, "patch", workload.ResourceOf(p.live.typed), b.key, first.refused(kube.Answered(err)))
	}
	return written, nil
}

// asks returns a patch of all that the write which begins a rollout relies on.
func (p *prepared) asks() (*patch, error) {
	asked := newPatch(p.live.typed)
	p.wanted.fill(asked)
	if !p.bare {
		if err := asked.record(p.record); err != nil {
			return nil, err
		}
	}
	for _, field := range gateOf(p.live.typed).held(p) {
		asked.hold(field)
	}
	return asked, nil
}

// begun follows the write that began a rollout.
func (b *beginning) begun(ctx context.Context, p *prepared) {
	b.record, b.refusals = p.record, refusals{}
	b.memory = b.memory.sized(p.replicas)
	if err := b.release(ctx, p); err != nil {
		b.emit(ProgressEvent{Message: err.Error()})
	}
	if p.bare {
		b.end(Done, workload.TemplateOf(b.written))
		return
	}
	b.state = Open // before any watch has delivered the write: an interruption must report that the rollout is open
	b.emit(StepEvent{Step: 1, Of: len(p.record.Plan.Steps), Target: p.record.Target(p.replicas)})
}

// unchanged returns the result of a start that changes no pod. It still applies what a manifest changes besides the
// template.
func (b *beginning) unchanged(ctx context.Context, p *prepared) (*Result, error) {
	result := b.result(Unchanged, fmt.Sprintf("the pod template already is the wanted one (revision %d)", p.from.Number))
	if p.wanted.manifest == nil || b.options.DryRun != DryRunNone {
		return result, nil
	}
	if _, err := b.apply(ctx, p.wanted.manifest.body, true, false); err != nil {
		return nil, err
	}
	result.Message += "; the rest of the manifest is applied"
	if err := b.release(ctx, p); err != nil {
		b.emit(ProgressEvent{Message: err.Error()})
	}
	return result, nil
}

// liveWorkload is a workload both in the API server's form and as a typed object.
type liveWorkload struct {
	raw   *unstructured.Unstructured
	typed workload.Object
}

// settle reads the workload once its controller has acted on it and the watches have delivered the controller's changes.
func (s *session) settle(ctx context.Context) (*liveWorkload, Snapshot, error) {
	kind := strings.ToLower(s.kind)
	limit := s.Clock.Now().Add(settleTimeout)
	for {
		raw, err := kube.GetRaw(ctx, s.Client, kind+"s", s.key.Namespace, s.key.Name)
		if err != nil {
			return nil, Snapshot{}, explainOn(ctx, "get", kind, s.key, err)
		}
		typed, err := typedWorkload(raw)
		if err != nil {
			return nil, Snapshot{}, err
		}
		snapshot := s.source.snapshot()
		snapshot.Workload = typed
		s.uid = typed.GetUID()
		state, _, err := gateOf(typed).state(&snapshot, decodeRecord)
		if state != Idle || err != nil || gateOf(typed).level(&snapshot) {
			return &liveWorkload{raw: raw, typed: typed}, snapshot, nil
		}
		if !s.Clock.Now().Before(limit) {
			return nil, Snapshot{}, fmt.Errorf("the %s controller has not acted on the last change of %s %q in namespace %q for %s; "+
				"see whether the controller manager runs, then try again", s.kind, kind, s.key.Name, s.key.Namespace, settleTimeout)
		}
		if err := s.sleep(ctx, limit); err != nil {
			return nil, Snapshot{}, err
		}
	}
}
