package rollout

import (
	"context"
	"encoding/json"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// retryLabel is set on an object for a moment, so that the object's controller looks at it and tries again at once. An
// annotation would do as well, but controllers and kubectl's undo copy annotations.
const retryLabel = "rollout-plus/retry"

// began returns the time from which evidence counts, or zero if all evidence counts. Events and conditions have full seconds.
// So whatever happened in the second in which the command began counts as older, unless the command itself wrote the change
// that it waits for.
func (e *Engine) began(wrote bool) time.Time {
	if e.Once {
		return time.Time{}
	}
	began := e.Clock.Now()
	if e.Began != nil {
		began = e.Began()
	}
	full := began.Truncate(time.Second)
	if !wrote && full.Before(began) {
		full = full.Add(time.Second)
	}
	return full
}

// retry makes a refused controller try again if the report asks for it. If the write fails, as without the right to make it,
// the rollout waits for the controller's own next attempt.
func (s *session) retry(ctx context.Context, report *diagnose.Report) {
	if report == nil || report.Retry.IsZero() || s.cannotRetry || s.Clock.Now().Before(report.Retry) {
		return
	}
	s.memory.retried = s.Clock.Now()
	s.eventReader.answer(s.memory.retried)
	for _, value := range []any{s.memory.retried.UTC().Format("20060102T150405Z"), nil} {
		if err := s.label(ctx, report.Refused, value); err != nil {
			s.cannotRetry = apierrors.IsForbidden(err) // any other failure may pass
			return
		}
	}
}

// label sets the label that makes a controller try again, or removes it if the value is nil.
func (s *session) label(ctx context.Context, of diagnose.Object, value any) error {
	labels := map[string]any{"metadata": map[string]any{"labels": map[string]any{retryLabel: value}}}
	body, err := json.Marshal(labels)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTimeout) // the label is removed even after an interruption
	defer cancel()
	options := s.patchOptions(false)
	if of.Kind == "ReplicaSet" {
		_, err = s.Client.AppsV1().ReplicaSets(s.key.Namespace).Patch(ctx, of.Name, types.MergePatchType, body, options)
		return err
	}
	_, err = kube.Workloads(s.Client, of.Kind, s.key.Namespace).Patch(ctx, of.Name, types.MergePatchType, body, options)
	return err
}

// refusedObject finds the object whose controller was refused. It returns nil if that object is not known.
func (s *session) refusedObject(of diagnose.Object) *about {
	w := s.source.workload()
	if of.Kind != "ReplicaSet" {
		if w == nil {
			return nil
		}
		return &about{workload.ResourceOf(w), w}
	}
	if w == nil {
		return nil
	}
	snapshot := s.source.snapshot()
	for _, rs := range snapshot.ReplicaSets {
		if rs.Name == of.Name {
			return &about{"replicaset", rs}
		}
	}
	return nil
}

// askRefused reads the events of the Deployment or ReplicaSet whose controller could not create something. The condition of a
// ReplicaSet stays as it was at first, so only events show the later attempts.
func (s *session) askRefused(ctx context.Context, now time.Time) {
	w := &s.eventReader
	if !s.hasReplicaSets() || w.refused == (diagnose.Object{}) {
		return // askWorkload does this for the other kinds
	}
	object := s.refusedObject(w.refused)
	if object == nil {
		return
	}
	w.refusedUID = object.GetUID()
	known, again := w.asked[w.refusedUID]
	due := now
	switch {
	case again && known.at.Before(w.answered):
		due = w.answered
	case again:
		due = w.retryAt(known, known.wait)
	}
	if !now.Before(due) {
		events, err := s.eventsOf(ctx, *object)
		if s.cannotSee(err) {
			return
		}
		w.keep(object.GetUID(), "", events, err, now)
		known = w.asked[object.GetUID()]
		due = w.retryAt(known, known.wait)
	}
	w.next = earlier(w.next, due)
}

// answer schedules a reading of the controller's events, soon after the controller was made to try again.
func (w *eventReader) answer(at time.Time) {
	w.answered = at.Add(answersIn)
	w.next = earlier(w.next, w.answered)
}

// patience returns the least time that pods get if they may still become ready. The command's own value goes before the
// record's.
func (s *session) patience(record *Record) time.Duration {
	if s.Patience == 0 && record != nil {
		return record.Plan.Patience.Duration
	}
	return s.Patience
}
