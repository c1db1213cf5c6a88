package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// settleTimeout is how long a command waits for the controller to act on a change made just before.
const settleTimeout = 10 * time.Second

// Change is what a rollout changes in a workload.
type Change struct {
	Images []podtemplate.ImageChange
	Env    []podtemplate.EnvChange
	// ToRevision is an earlier revision whose pod template is to run again. 0 means the revision before the present
	// one.
	ToRevision *int64
	// Leaving is the pod template that ToRevision 0 leaves. Nil means the one that Start reads first. If the Deployment
	// has another template when the rollout is to begin, nothing begins.
	Leaving *corev1.PodTemplateSpec
	// Manifest is a Deployment to apply (server-side apply). Force takes over fields that others manage.
	Manifest *unstructured.Unstructured
	Force    bool
	// Drain is how long a preStop hook sleeps, in whole seconds. It is added to containers without a hook. 0 adds none.
	Drain time.Duration
	// Restart replaces all pods without another change, as kubectl rollout restart does.
	Restart bool
	// Rewrite edits the pod template after all other changes.
	Rewrite Rewrite
	// Cause becomes the revision's change-cause. If it is empty, the new revision has none: the present one's is not
	// kept. With OwnCause, the cause is the one that the revision of ToRevision had.
	Cause    string
	OwnCause bool
	// Note is kept in the record while the rollout is open.
	Note json.RawMessage
}

// DryRun is how far a command goes.
type DryRun int

// A command can do its work, only show what it would do, or also ask the API server whether it would accept that.
const (
	DryRunNone DryRun = iota
	DryRunClient
	DryRunServer
)

// StartOptions are the options of a rollout. Limits that are nil are the workload's own.
type StartOptions struct {
	Steps                    plan.Steps
	MaxSurge, MaxUnavailable *intstr.IntOrString
	Hold                     time.Duration
	OnFailure                plan.OnFailure
	DryRun                   DryRun
	// SkipChecks begins the rollout without the checks.
	SkipChecks bool
	// Foreseen are objects that the checks take to exist. They are for callers that write these objects before the
	// rollout begins.
	Foreseen []preflight.Foreseen
}

// prepared is a rollout that is ready to begin.
type prepared struct {
	live     *appsv1.Deployment
	raw      *unstructured.Unstructured
	wanted   *wanted
	record   *Record
	planned  PlanEvent
	sameAs   int64
	replicas int32
}

// prepare prepares a rollout from the present Deployment, and refuses one that cannot be done.
func (s *session) prepare(ctx context.Context, change Change, options StartOptions) (*prepared, error) {
	live, snapshot, err := s.settle(ctx)
	if err == nil && endedRecord(live.typed) != nil && options.DryRun == DryRunNone {
		s.returned(ctx, live.typed)
		live, snapshot, err = s.settle(ctx)
	}
	if err != nil {
		return nil, err
	}
	err = checkStart(live.typed, &snapshot)
	if err == nil {
		live.typed, err = s.freed(live.typed, &snapshot)
	}
	if open := (*OpenError)(nil); change.overtaken(&live.typed.Spec.Template) && !errors.As(err, &open) {
		return nil, ErrOvertaken
	}
	if err != nil {
		return nil, err
	}
	target, err := s.want(ctx, live, &snapshot, change)
	if err != nil {
		return nil, err
	}
	ready := &prepared{live: live.typed, raw: live.raw, wanted: target, replicas: workload.ReplicasOf(target.typed)}
	if workload.SameTemplate(&live.typed.Spec.Template, &target.typed.Spec.Template) {
		ready.sameAs = workload.RevisionOf(live.typed)
		return ready, target.known(live.raw)
	}
	if err := ready.plan(&snapshot, options, s.Clock.Now()); err != nil {
		return nil, err
	}
	ready.record.Note = change.Note
	ready.record.Plan.Patience = metav1.Duration{Duration: s.Patience}
	return ready, s.note(ready, live)
}

// plan fills in the record, and the event that shows its plan.
func (p *prepared) plan(snapshot *Snapshot, options StartOptions, now time.Time) error {
	limits, err := plan.Overridden(p.wanted.typed.Spec.Strategy, options.MaxSurge, options.MaxUnavailable)
	if err != nil {
		return err
	}
	resolved, err := limits.At(p.replicas)
	if err != nil {
		return &plan.OptionError{Option: "max-surge, --max-unavailable", Err: err}
	}
	steps, err := options.Steps.Complete().For(p.replicas)
	if err != nil {
		return &plan.OptionError{Option: "steps", Err: err}
	}
	current := snapshot.Current()
	record := &Record{
		SchemaVersion: recordVersion,
		Original:      SettingsOf(p.live),
		From:          Revision{ReplicaSet: current.Name, Number: workload.RevisionOf(current)},
		ToRevision:    workload.NextRevision(snapshot.ReplicaSets, &p.wanted.typed.Spec.Template),
		Plan:          plan.Plan{Steps: steps, Limits: limits, Hold: metav1.Duration{Duration: options.Hold}, OnFailure: options.OnFailure},
		Step:          1,
		StartedAt:     inSeconds(now),
	}
	record = record.alive(now)
	if final := SettingsOf(p.wanted.typed); !sameSettings(final, record.Original) {
		record.Final = &final
	}
	planned, err := preview(record.Plan, p.replicas)
	if err != nil {
		return err
	}
	p.record, p.planned = record, PlanEvent{
		Replicas: p.replicas, Limits: resolved, Steps: planned,
		From: PlannedRevision{record.From.Number, podtemplate.ImagesOf(&p.live.Spec.Template)},
		To:   PlannedRevision{record.ToRevision, podtemplate.ImagesOf(&p.wanted.typed.Spec.Template)},
	}
	return nil
}

// begin emits the plan and closes the gate. A result means that there is nothing to drive.
func (s *session) begin(ctx context.Context, p *prepared, dryRun DryRun) (*Result, error) {
	s.tellKept(p.wanted.manifest)
	if p.record == nil {
		return s.unchanged(ctx, p, dryRun)
	}
	// A repeated write mostly has the same plan, which is not emitted again.
	if !equality.Semantic.DeepEqual(s.planned, p.planned) {
		s.planned = p.planned
		if p.wanted.drained != nil {
			s.emit(ProgressEvent{Message: p.wanted.drained.String()})
		}
		s.emit(p.planned)
	}
	s.warnApplied(p.live)
	if dryRun == DryRunClient {
		return s.result(Planned, ""), nil
	}
	settings := p.record.Wanted()
	if p.replicas > 0 {
		resolved, err := p.record.Plan.Limits.At(p.replicas)
		if err != nil {
			return nil, err
		}
		gate := NextWidth(p.record.Target(p.replicas), 0, resolved)
		p.record.opens(gate.Strategy(p.replicas, p.record.Plan.Limits))
		settings = p.record.inForce(p.live)
	}
	if dryRun == DryRunServer {
		_, err := s.tryBegin(ctx, p, settings)
		return s.result(Planned, ""), err
	}
	written, err := s.beginWrite(ctx, p, settings)
	if err != nil {
		return nil, err
	}
	s.wrote(written)
	s.begun(ctx, p)
	return nil, nil
}

// firstWrite makes the write that begins a rollout. It contains the new version and, if there are pods to replace, the
// gate: no moment lies between the two.
func (s *session) firstWrite(ctx context.Context, p *prepared, settings Settings, dryRun bool) (*appsv1.Deployment, error) {
	if p.wanted.manifest != nil {
		return s.applyFirst(ctx, p, settings, dryRun)
	}
	patch := newPatch(p.live)
	p.wanted.fill(patch)
	if p.replicas > 0 {
		if err := patch.record(p.record); err != nil {
			return nil, err
		}
	}
	patch.settings(settings)
	return s.patchDeployment(ctx, s.key, patch, dryRun)
}

// begun follows the write that began a rollout.
func (s *session) begun(ctx context.Context, p *prepared) {
	s.record = p.record
	s.memory = s.memory.sized(workload.ReplicasOf(p.wanted.typed))
	if err := s.release(ctx, p); err != nil {
		s.emit(ProgressEvent{Message: err.Error()})
	}
	if p.replicas == 0 {
		s.end(Done, workload.TemplateOf(s.written))
		return
	}
	s.state = Open // before any watch has delivered the write: an interruption must report that the rollout is open
	s.emit(StepEvent{Step: 1, Of: len(p.record.Plan.Steps), Target: p.record.Target(p.replicas)})
}

// unchanged returns the result of a start that changes no pod. It still applies what a manifest changes besides the
// template.
func (s *session) unchanged(ctx context.Context, p *prepared, dryRun DryRun) (*Result, error) {
	result := s.result(Unchanged, fmt.Sprintf("the pod template already is the wanted one (revision %d)", p.sameAs))
	if p.wanted.manifest == nil || dryRun != DryRunNone {
		return result, nil
	}
	if _, err := s.apply(ctx, p.wanted.manifest.body, true, false); err != nil {
		return nil, err
	}
	result.Message += "; the rest of the manifest is applied"
	if err := s.release(ctx, p); err != nil {
		s.emit(ProgressEvent{Message: err.Error()})
	}
	return result, nil
}

// liveDeployment is a Deployment both in the API server's form and as a typed object.
type liveDeployment struct {
	raw   *unstructured.Unstructured
	typed *appsv1.Deployment
}

// settle reads the Deployment once the controller has acted on it and the watches have delivered the controller's
// changes.
func (s *session) settle(ctx context.Context) (*liveDeployment, Snapshot, error) {
	limit := s.Clock.Now().Add(settleTimeout)
	for {
		raw, err := kube.GetRaw(ctx, s.Client, "deployments", s.key.Namespace, s.key.Name)
		if err != nil {
			return nil, Snapshot{}, explain(ctx, "get", s.key, err)
		}
		typed, err := typedDeployment(raw)
		if err != nil {
			return nil, Snapshot{}, err
		}
		snapshot := s.source.snapshot()
		snapshot.Workload = typed
		current := snapshot.Current()
		if snapshot.Observed() && (current != nil && workload.RevisionOf(current) == workload.RevisionOf(typed) || typed.Spec.Paused) {
			return &liveDeployment{raw: raw, typed: typed}, snapshot, nil
		}
		if state, _, err := OpenRollout(typed, snapshot.ReplicaSets); state != Idle || err != nil {
			return &liveDeployment{raw: raw, typed: typed}, snapshot, nil
		}
		if !s.Clock.Now().Before(limit) {
			return nil, Snapshot{}, fmt.Errorf("the Deployment controller has not acted on the last change of deployment %q in namespace %q for %s; "+
				"see whether the controller manager runs, then try again", s.key.Name, s.key.Namespace, settleTimeout)
		}
		if err := s.sleep(ctx, limit); err != nil {
			return nil, Snapshot{}, err
		}
	}
}
