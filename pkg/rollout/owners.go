package rollout

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// mostOwners bounds the size of the owners in a record, in bytes. The API allows 256 KiB of annotations per object.
const mostOwners = 16 << 10

// ownersTimeout bounds how long a command tries to give the owners their fields back.
const ownersTimeout = 5 * time.Second

// fieldsOf returns the fields that a rollout of this workload writes.
func fieldsOf(w workload.Object) ownership.Fields {
	fields := ownership.Fields{
		Borrowed: []ownership.Field{recordField()},
		Changed: []ownership.Field{
			{"spec", "template"},
			{"metadata", "annotations", workload.ChangeCauseAnnotation},
			{"metadata", "annotations", corev1.LastAppliedConfigAnnotation},
		},
	}
	if _, is := w.(*appsv1.Deployment); is {
		fields.Borrowed = append(fields.Borrowed, ownership.Field{"spec", "strategy"}, ownership.Field{"spec", "minReadySeconds"},
			ownership.Field{"spec", "progressDeadlineSeconds"})
	} else {
		fields.Borrowed = append(fields.Borrowed, ownership.Field{"spec", "updateStrategy"})
	}
	return fields
}

// ownersOf returns the owners of the fields that a rollout is about to write. template is the new pod template.
func (e *Engine) ownersOf(live workload.Object, raw *unstructured.Unstructured, template map[string]any) (*ownership.Owners, error) {
	after := &unstructured.Unstructured{Object: map[string]any{}}
	// The annotations are left out: which of them a way back changes is not known yet.
	if err := unstructured.SetNestedMap(after.Object, template, "spec", "template"); err != nil {
		return nil, err
	}
	before := ownership.Object{Entries: raw.GetManagedFields(), Content: raw.Object}
	owners, err := ownership.Find(before, after.Object, fieldsOf(live), e.FieldManager, mostOwners)
	if err != nil {
		return nil, fmt.Errorf("cannot read who owns the fields of %s %q in namespace %q: %w",
			workload.ResourceOf(live), live.GetName(), live.GetNamespace(), err)
	}
	return owners, nil
}

// note adds the owners to a record that is about to be written for the first time.
func (s *session) note(p *prepared, live *liveWorkload) (err error) {
	if p.record.Owners, err = s.ownersOf(live.typed, live.raw, p.wanted.template); err != nil || p.wanted.manifest == nil {
		return err
	}
	// The dry run of the apply shows who owns the borrowed fields once the manifest is applied.
	fields := fieldsOf(live.typed)
	fields.Changed = nil
	applied := ownership.Object{Entries: p.wanted.raw.GetManagedFields(), Content: p.wanted.raw.Object}
	p.record.FinalOwners, err = ownership.Find(applied, nil, fields, s.FieldManager, mostOwners)
	return err
}

// signed returns the record with the engine among the writers of the fields. Every write of a record needs that first.
func (e *Engine) signed(record *Record, workload workload.Object) (*Record, error) {
	signed, entries, fields := *record, workload.GetManagedFields(), fieldsOf(workload)
	var err error
	if signed.Owners == nil {
		// An earlier version of this program wrote the record. Its writer owns the record's field.
		if signed.Owners, err = ownership.Unknown(entries, recordField()); err != nil {
			return nil, err
		}
	}
	if signed.Owners, err = signed.Owners.Join(entries, fields, e.FieldManager); err != nil || signed.FinalOwners == nil {
		return &signed, err
	}
	signed.FinalOwners, err = signed.FinalOwners.Join(entries, fields, e.FieldManager)
	return &signed, err
}

func recordField() ownership.Field { return ownership.Field{"metadata", "annotations", Annotation} }

// ended returns the record that stays until the owners have their fields back, or nil if nothing is left to do. removed
// are the fields that the same write removes. They have no owner afterwards.
func (r *Record) ended(workload workload.Object, outcome Outcome, removed []ownership.Field) (*Record, error) {
	owners := r.Owners
	if outcome != RolledBack && r.FinalOwners != nil {
		owners = r.FinalOwners
	}
	removed = append(removed, recordField())
	entries, err := ownership.Without(workload.GetManagedFields(), removed)
	if err != nil {
		return nil, err
	}
	if _, changed, err := owners.Return(entries, fieldsOf(workload), outcome == RolledBack); err != nil || !changed {
		return nil, err
	}
	ended := *r
	ended.Owners, ended.FinalOwners = owners, nil
	// Earlier versions of this program, too, must see that the rollout is over.
	ended.Ended, ended.Update, ended.Final, ended.Gate, ended.Ungated, ended.RollingBack, ended.Held = outcome, nil, nil, nil, false, false, false
	ended.HoldUntil, ended.Rest = nil, nil
	return &ended, nil
}

// withoutRecord adds to a patch the end of the record's rollout. If others owned borrowed fields, the record stays for
// one more write. The API server makes whoever changes a field its owner, so that the owners can only come after the
// values.
func (e *Engine) withoutRecord(p *patch, record *Record, workload workload.Object, outcome Outcome, removed ...ownership.Field) error {
	signed, err := e.signed(record, workload)
	if err != nil {
		return err
	}
	ended, err := signed.ended(workload, outcome, removed)
	if err != nil || ended == nil {
		p.withoutRecord()
		return err
	}
	return p.record(ended)
}

// endedRecord returns the record of a rollout that has ended except for the owners, or nil if there is none.
func endedRecord(workload workload.Object) *Record {
	text := workload.GetAnnotations()[Annotation]
	if text == "" {
		return nil
	}
	if record, err := decodeRecord(text); err == nil && record.Ended != "" && record.Owners != nil {
		return record
	}
	return nil
}

// returnOwners gives the owners back the fields that an ended rollout had borrowed. This write changes only
// managedFields and the record. It returns the workload after the write. If others write first, it reads the workload
// again and retries, a limited number of times.
func (e *Engine) returnOwners(ctx context.Context, w workload.Object) (workload.Object, error) {
	for try := 1; ; try++ {
		record := endedRecord(w)
		if record == nil {
			return w, nil
		}
		entries, changed, err := record.Owners.Return(w.GetManagedFields(), fieldsOf(w), record.Ended == RolledBack)
		if err != nil {
			return w, err
		}
		p := newPatch(w)
		p.set("/metadata/uid", w.GetUID())
		p.withoutRecord()
		if changed {
			p.set("/metadata/managedFields", entries)
		}
		written, err := e.patchWorkload(ctx, w, p, false)
		if err == nil {
			return written, nil
		}
		if !apierrors.IsConflict(err) || try >= kube.ConflictTries {
			return w, explainOn(ctx, "patch", workload.ResourceOf(w), workload.KeyOf(w), kube.Answered(err))
		}
		timer := e.Clock.NewTimer(time.Duration(try) * kube.RetryAfter / 50)
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
		timer.Stop()
		uid := w.GetUID()
		if w, err = e.Workload(ctx, workload.KindOf(w), workload.KeyOf(w)); err != nil {
			return w, err
		}
		if w.GetUID() != uid {
			return w, nil
		}
	}
}

// returned gives the owners of an ended rollout their fields back, and emits a message if that fails. It tries even if
// the command's context has ended. It returns the workload after the write.
func (s *session) returned(ctx context.Context, w workload.Object) workload.Object {
	if endedRecord(w) == nil {
		return w
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ownersTimeout)
	defer cancel()
	after, err := s.returnOwners(ctx, w)
	if err != nil {
		s.emit(ProgressEvent{Message: fmt.Sprintf("%s %q in namespace %q is as it should be, but those who owned its fields before the rollout "+
			"do not own them again: %v; %s tries again", workload.ResourceOf(w), s.key.Name, s.key.Namespace, err,
			command.On("abort", workload.ResourceOf(w), s.key.Name, s.key.Namespace))})
		return w
	}
	return after
}

// ReturnOwned gives the owners their fields back if the driver of a rollout was killed between its last two writes. It
// emits a failure instead of returning it, since the workload itself is as it should be.
func (e *Engine) ReturnOwned(ctx context.Context, w workload.Object) {
	s := &session{Engine: e, kind: workload.KindOf(w), key: types.NamespacedName{Namespace: w.GetNamespace(), Name: w.GetName()}}
	s.returned(ctx, w)
}

// returnedUnanswered gives the owners their fields back if the command was interrupted during the last write of a
// rollout. The API server may have made that write, though its answer no longer arrived.
func (s *session) returnedUnanswered(ctx context.Context) {
	if ctx.Err() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ownersTimeout)
	defer cancel()
	if live, err := s.Workload(ctx, s.kind, s.key); err == nil && live.GetUID() == s.uid {
		s.returned(ctx, live)
	}
}

// taken records the owners of the settings that others have changed since the rollout wrote them.
func (r *Record) taken(d *appsv1.Deployment, written, live Settings) {
	if r.Owners == nil {
		return
	}
	owners, err := r.Owners.Take(d.ManagedFields, changedSettings(written, live))
	if err != nil {
		return // cannot happen: the API server keeps no entry that does not parse
	}
	r.Owners = owners
	if r.FinalOwners != nil {
		if final, err := r.FinalOwners.Take(d.ManagedFields, changedSettings(written, live)); err == nil {
			r.FinalOwners = final
		}
	}
}

// changedSettings returns the fields in which two settings differ.
func changedSettings(written, live Settings) []ownership.Field {
	var changed []ownership.Field
	before, after := plan.LimitsOf(written.Strategy), plan.LimitsOf(live.Strategy)
	for _, field := range []struct {
		differs bool
		path    ownership.Field
	}{
		{written.Strategy.Type != live.Strategy.Type, ownership.Field{"spec", "strategy"}},
		{before.Surge != after.Surge, ownership.Field{"spec", "strategy", "rollingUpdate", "maxSurge"}},
		{before.Unavailable != after.Unavailable, ownership.Field{"spec", "strategy", "rollingUpdate", "maxUnavailable"}},
		{written.MinReadySeconds != live.MinReadySeconds, ownership.Field{"spec", "minReadySeconds"}},
		{!sameDeadline(written, live), ownership.Field{"spec", "progressDeadlineSeconds"}},
	} {
		if field.differs {
			changed = append(changed, field.path)
		}
	}
	return changed
}
