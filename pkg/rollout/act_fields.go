package rollout

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// move moves the gate, and the record with it.
func (s *session) move(ctx context.Context, w workload.Object, a move) error {
	g, before := gateOf(w), s.record
	record, err := g.opened(w, before, a)
	if err != nil {
		return err
	}
	p := newGatePatch(w)
	g.hold(p, w, record)
	if err := s.writeRecord(ctx, w, p, record); err != nil {
		return err
	}
	if text := g.reclaimed(w, before); text != "" {
		s.emit(ProgressEvent{Message: text})
	}
	if record.Step == before.Step {
		return nil
	}
	replicas := g.size(w, record)
	s.meter.stepDone(before.Step, before.Target(replicas), s.Clock.Now())
	s.emit(StepEvent{Step: record.Step, Of: len(record.Plan.Steps), Target: record.Target(replicas)})
	return nil
}

// finish gives the workload its own fields back. The session then waits for the controller to complete the pod template.
func (s *session) finish(ctx context.Context, w workload.Object, outcome Outcome) error {
	g, p := gateOf(w), newGatePatch(w)
	back, err := g.giveBack(p, w, s.record, s.state, outcome)
	if err != nil {
		return err
	}
	if err := s.handOver(ctx, p, w, back, outcome); err != nil {
		return err
	}
	if s.phase == stepping && outcome == Done {
		s.meter.stepDone(s.record.Step, s.record.Target(g.size(w, s.record)), s.Clock.Now())
	}
	s.end(outcome, g.awaits(s.written))
	return nil
}

// part leaves the workload to those who have changed its fields. The session stops next, and says so.
func (s *session) part(ctx context.Context, w workload.Object, a part) error {
	p := newGatePatch(w)
	back, err := gateOf(w).part(p, w, s.record, s.state)
	if err != nil {
		return err
	}
	if err := s.handOver(ctx, p, w, back, Overtaken); err != nil {
		return err
	}
	if s.parted = (&stop{outcome: Overtaken, message: a.message}); !back.open {
		s.phase = ending
	}
	return nil
}

// handOver makes the write by which the rollout lets go of the workload. If the fields had other owners, a second write gives
// the fields back to them.
func (s *session) handOver(ctx context.Context, p *patch, w workload.Object, back handover, outcome Outcome) error {
	if !back.open {
		if err := s.withoutRecord(p, back.record, w, outcome, back.removed...); err != nil {
			return err
		}
	} else if record, err := s.signed(back.record, w); err != nil {
		return err
	} else if err := p.record(record); err != nil {
		return err
	}
	if err := s.writeLast(ctx, p); err != nil {
		return err
	}
	switch {
	case !back.open:
		s.state = Idle
	case back.record.RollingBack:
		s.state = RollingBack
	}
	return nil
}

// lostVersionError reports that the ReplicaSet of the old version was deleted. Without it there is no way back.
type lostVersionError struct{ from Revision }

func (e *lostVersionError) Error() string {
	return fmt.Sprintf("%s with the old version (revision %d) is gone", e.from, e.from.Number)
}

// goBack returns to the old version in one write. Limits that are not the workload's own stay until that is complete.
func (s *session) goBack(ctx context.Context, snapshot *Snapshot) error {
	w := snapshot.Workload
	template, cause, err := s.oldVersion(ctx)
	if err != nil {
		return err
	}
	if err := s.returningTo(ctx, w, template); err != nil {
		return err
	}
	p := newGatePatch(w)
	p.template(template)
	p.annotate(workload.ChangeCauseAnnotation, cause)
	if s.Annotations != nil {
		for key, value := range s.Annotations(w.GetAnnotations(), template) {
			p.annotate(key, value)
		}
	}
	if s.record.From.ControllerRevision != "" && snapshot.numbers == nil { // its controller has not observed the workload as it is now
		revisions, err := s.revisionsOf(ctx, w)
		if err != nil {
			return err
		}
		snapshot.numbers = numbersOf(revisions)
	}
	g := gateOf(w)
	back, err := g.goBack(p, snapshot, s.record, s.state, s.altered != nil)
	if err != nil {
		return err
	}
	if err := s.handOver(ctx, p, w, back, RolledBack); err != nil {
		return err
	}
	s.tellReturn(podtemplate.Images(template))
	s.record = back.record
	s.end(RolledBack, g.awaits(s.written))
	return nil
}

// oldVersion reads the pod template and the change-cause of the version that the rollout goes back to.
func (s *session) oldVersion(ctx context.Context) (podtemplate.Template, string, error) {
	from, resource, name := s.record.From, "replicaset", s.record.From.ReplicaSet
	if from.ControllerRevision != "" {
		resource, name = "controllerrevision", from.ControllerRevision
	}
	failed := func(err error) error {
		if apierrors.IsNotFound(err) {
			return &lostVersionError{from}
		}
		return explainOn(ctx, "get", resource, types.NamespacedName{Namespace: s.key.Namespace, Name: name}, err)
	}
	if resource == "replicaset" {
		object, err := kube.GetRaw(ctx, s.Client, "replicasets", s.key.Namespace, name)
		if err != nil {
			return nil, "", failed(err)
		}
		template, err := podtemplate.Of(object)
		return template, object.GetAnnotations()[workload.ChangeCauseAnnotation], err
	}
	revision, err := s.Client.AppsV1().ControllerRevisions(s.key.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, "", failed(kube.Answered(err))
	}
	template, err := podtemplate.RawOfRevision(revision)
	return template, revision.Annotations[workload.ChangeCauseAnnotation], err
}
