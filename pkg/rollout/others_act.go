package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// act carries out the decision. It returns a result when the session's work has ended, and nil otherwise.
func (s *otherSession) act(ctx context.Context, now *Snapshot, next action) *Result {
	switch a := next.(type) {
	case await:
		err := s.sleepAlive(ctx, now.Workload, !now.StaleSince.IsZero(), a.until, func(ctx context.Context, record *Record) error {
			return s.borrow(ctx, now, record)
		})
		if err != nil {
			return s.interrupted(ctx, err)
		}
		return nil
	case stop:
		s.tell(ctx, a.finding, false)
		s.returned(ctx, now.Workload)
		return s.result(a.outcome, a.message)
	}
	err := s.perform(ctx, now, next)
	if altered := (*AlteredError)(nil); errors.As(err, &altered) {
		return s.afterAltered(altered, s.record.Update.holds(s.latest))
	}
	return s.afterWrite(ctx, err, nil)
}

// perform makes the write that was decided.
func (s *otherSession) perform(ctx context.Context, now *Snapshot, next action) error {
	switch a := next.(type) {
	case move:
		return s.move(ctx, now, a)
	case standBack:
		if err := s.move(ctx, now, a.move); err != nil {
			return err
		}
		s.parted = &stop{outcome: Overtaken, message: a.message}
	case noteHold:
		record := s.record.driven()
		record.HoldUntil = &a.until
		return s.borrow(ctx, now, record)
	case replace:
		return s.deletePods(ctx, now, a.pods)
	case unblock:
		return s.unblock(ctx, now, a)
	case adopt:
		return s.adopt(ctx, now, a)
	case finish:
		s.why = cmp.Or(a.why, s.why)
		return s.finish(ctx, now, a.outcome)
	case part:
		return s.part(ctx, now, a)
	case goBack:
		s.tellLeaving(ctx, a.finding)
		s.why = cmp.Or(a.why, s.why)
		failed := a.finding != nil || s.record.hasFailed()
		if err := s.goBack(ctx, now); err != nil || !failed || now.Newest == nil {
			return err
		}
		s.markFailed(ctx, now.Newest, now.Newest.Revision)
	}
	return nil
}

// adopt takes the present template as the rollout's new version, and lets a held rollout go on.
func (s *otherSession) adopt(ctx context.Context, now *Snapshot, a adopt) error {
	record := s.record.driven().alive(s.Clock.Now())
	record.ToRevision, record.Held = a.revision, false
	err := s.borrow(ctx, now, record)
	if err != nil && s.state == Open {
		s.phase = resuming // otherwise the new template would stop the rollout before it is adopted
	}
	return err
}

// unblock deletes pods that a StatefulSet waits for in vain.
func (s *otherSession) unblock(ctx context.Context, now *Snapshot, a unblock) error {
	set, is := now.Workload.(*appsv1.StatefulSet)
	if !is {
		return nil
	}
	err := s.deleteAll(ctx, set, a.pods, func(pod *corev1.Pod) {
		s.deleted[pod.UID] = true
		s.emit(ProgressEvent{Message: fmt.Sprintf("pod %s deleted: it is of another revision and not ready, and statefulset %q would wait for it",
			pod.Name, set.Name)})
	})
	if err != nil {
		return err
	}
	return s.pause(ctx, retryAfter/10) // time for the watch to deliver pods that have changed
}

// move moves the gate, and the record with it.
func (s *otherSession) move(ctx context.Context, now *Snapshot, a move) error {
	g, before := gateOf(now.Workload), s.record
	record, err := g.opened(now.Workload, before, a)
	if err != nil {
		return err
	}
	if err := s.borrow(ctx, now, record); err != nil {
		return err
	}
	if text := g.reclaimed(now.Workload, before); text != "" {
		s.emit(ProgressEvent{Message: text})
	}
	if record.Step == before.Step {
		return nil
	}
	replicas := g.size(now.Workload, record)
	s.meter.stepDone(before.Step, before.Target(replicas), s.Clock.Now())
	s.emit(StepEvent{Step: record.Step, Of: len(record.Plan.Steps), Target: record.Target(replicas)})
	return nil
}

// borrow writes a record and the strategy that belongs to it.
func (s *otherSession) borrow(ctx context.Context, now *Snapshot, record *Record) error {
	record, err := s.signed(record, now.Workload)
	if err != nil {
		return err
	}
	p := newGatePatch(now.Workload)
	if !record.Update.holds(now.Workload) {
		record.Update.hold(p, now.Workload)
	}
	if err := p.record(record); err != nil {
		return err
	}
	if err := s.write(ctx, now.Workload, p); err != nil {
		return err
	}
	if s.record = record; s.generation == now.Workload.GetGeneration() {
		s.generation = s.latest.GetGeneration() // this write is the only one in between, and it keeps the template
	}
	return nil
}

// write makes a write and keeps its result, so that the session knows it before the watch delivers it.
func (s *otherSession) write(ctx context.Context, workload Workload, p *patch) error {
	written, err := s.patchWorkload(ctx, workload, p, false)
	if err != nil {
		return explainOn(ctx, "patch", kindOf(workload), s.key, p.refused(answered(err)))
	}
	s.latest, s.mayWrite, s.refusals, s.conflicts = written, true, refusals{}, conflicts{}
	return p.altered(written)
}

// writeLast makes the write that gives the workload its own strategy back. If the fields had other owners, a second
// write gives the fields back to them.
func (s *otherSession) writeLast(ctx context.Context, workload Workload, p *patch) error {
	if err := s.write(ctx, workload, p); err != nil {
		s.returnedUnanswered(ctx)
		return err
	}
	s.latest = s.returned(ctx, s.latest)
	return nil
}

// deletePods deletes the pods of a wave. It stops as soon as somebody else has changed the workload.
func (s *otherSession) deletePods(ctx context.Context, now *Snapshot, pods []*corev1.Pod) error {
	for _, pod := range pods {
		if s.isOverrun(now.Workload) {
			return nil
		}
		err := s.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return explainOn(ctx, "delete", "pod", types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, answered(err))
		}
		s.deleted[pod.UID], s.mayWrite = true, true
	}
	return nil
}

// isOverrun reports whether the watch has delivered another spec or record than the decision was based on.
func (s *otherSession) isOverrun(decided Workload) bool {
	live := s.source.workload()
	if live == nil {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(live.GetResourceVersion(), decided.GetResourceVersion())
	return err == nil && order > 0 &&
		(live.GetGeneration() != decided.GetGeneration() || live.GetAnnotations()[Annotation] != decided.GetAnnotations()[Annotation])
}

// finish ends the rollout.
func (s *otherSession) finish(ctx context.Context, now *Snapshot, outcome Outcome) error {
	p := newGatePatch(now.Workload)
	var err error
	switch s.state {
	case RollingBack:
		err = s.record.Update.restore(p, now.Workload)
	case Open:
		err = s.record.Update.giveBack(p, now.Workload, nil)
	case Idle, Disturbed: // the strategy is not the rollout's
	}
	if err != nil {
		return err
	}
	if err := s.withoutRecord(p, s.record, now.Workload, outcome); err != nil {
		return err
	}
	if err := s.writeLast(ctx, now.Workload, p); err != nil {
		return err
	}
	if s.phase == stepping && outcome == Done {
		s.meter.stepDone(s.record.Step, s.record.Target(stepped(now.Workload, s.record.Update)), s.Clock.Now())
	}
	s.state = Idle
	s.end(outcome, nil)
	return nil
}

// part removes the record and leaves the workload to those who have changed its strategy. The session stops next, with
// the message of a.
func (s *otherSession) part(ctx context.Context, now *Snapshot, a part) error {
	p := newGatePatch(now.Workload)
	if err := s.withoutRecord(p, s.record, now.Workload, Overtaken); err != nil {
		return err
	}
	if err := s.writeLast(ctx, now.Workload, p); err != nil {
		return err
	}
	s.state, s.phase, s.parted = Idle, ending, &stop{outcome: Overtaken, message: a.message}
	return nil
}

// goBack returns to the old version in one write, and leaves the rest to the controller.
func (s *otherSession) goBack(ctx context.Context, now *Snapshot) error {
	from := s.record.From
	revision, err := s.Client.AppsV1().ControllerRevisions(s.key.Namespace).Get(ctx, from.ControllerRevision, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &lostVersionError{from}
	}
	if err != nil {
		return explainOn(ctx, "get", "controllerrevision", types.NamespacedName{Namespace: s.key.Namespace, Name: from.ControllerRevision}, answered(err))
	}
	template, err := recordedTemplate(revision)
	if err != nil {
		return err
	}
	if err := s.returningTo(ctx, now.Workload, template); err != nil {
		return err
	}
	p := newGatePatch(now.Workload)
	p.template(template)
	p.annotate(ChangeCauseAnnotation, revision.Annotations[ChangeCauseAnnotation])
	if s.Annotations != nil {
		for key, value := range s.Annotations(now.Workload.GetAnnotations(), template) {
			p.annotate(key, value)
		}
	}
	back, err := s.leaveStep(ctx, now, p)
	if err != nil {
		return err
	}
	if err := s.writeLast(ctx, now.Workload, p); err != nil {
		return err
	}
	s.emit(RollbackEvent{Revision: from.Number, Images: imagesOf(template)})
	if s.state, s.record = Idle, back; back.RollingBack {
		s.state = RollingBack
	}
	s.end(RolledBack, nil)
	return nil
}

// strategyOf returns the update strategy of a workload as the API server holds it.
func strategyOf(object map[string]any) (json.RawMessage, error) {
	spec, _ := object["spec"].(map[string]any)
	strategy, is := spec["updateStrategy"].(map[string]any)
	if !is {
		return nil, errors.New("the API server gave no update strategy")
	}
	return json.Marshal(strategy)
}
