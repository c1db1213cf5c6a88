package rollout

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// applyFirst begins a rollout by applying its manifest, together with the gate.
func (s *session) applyFirst(ctx context.Context, p *prepared, dryRun bool) (workload.Object, error) {
	body := p.wanted.manifest.body
	if !p.bare {
		text, err := p.record.encode()
		if err != nil {
			return nil, err
		}
		if body, err = p.wanted.manifest.gated(gateOf(p.live.typed).held(p), text); err != nil {
			return nil, err
		}
	}
	applied, err := s.apply(ctx, body, true, dryRun)
	if migration := p.wanted.manifest.migration; err == nil && dryRun && migration.Needed() {
		if err = migration.Finish(applied); err == nil { // a dry run leaves out the write that moves the fields
			err = addDefaults(applied)
		}
	}
	if err != nil {
		return nil, err
	}
	return typedWorkload(applied)
}

// migrate prepares a workload for the apply of a manifest, and reports whether that took a write. The write changes
// no pod. After it, the rollout has to be prepared anew.
func (s *session) migrate(ctx context.Context, p *prepared) (bool, error) {
	m := p.wanted.manifest
	if m == nil || !m.migration.Needed() && (p.record == nil || !m.staleCause) {
		return false, nil
	}
	write := newPatch(p.live.typed)
	if m.migration.Needed() {
		entries, err := m.migration.Entries(p.live.typed.GetManagedFields())
		if err != nil {
			return false, fmt.Errorf("the fields of kubectl apply cannot be moved to field manager %q: %w", s.FieldManager, err)
		}
		write.set("/metadata/managedFields", entries)
	}
	if p.record != nil && m.staleCause {
		write.annotate(workload.ChangeCauseAnnotation, "")
	}
	return true, s.write(ctx, write)
}

// release removes from the manager's applied fields those that the manifest does not name. Otherwise the next apply of
// the manifest would remove them from the workload. The manager keeps the borrowed fields with the operation Update.
func (s *session) release(ctx context.Context, p *prepared) error {
	m := p.wanted.manifest
	if m == nil || (p.record == nil || p.bare) && !m.keepsReplicas {
		return nil
	}
	for try := 1; ; try++ {
		object, err := kube.GetRaw(ctx, s.Client, strings.ToLower(s.kind)+"s", s.key.Namespace, s.key.Name)
		if err == nil {
			err = s.releaseFrom(ctx, p.live.typed, object, m)
		}
		if apierrors.IsConflict(err) && try < kube.ConflictTries {
			if err = kube.PauseForConflict(ctx, s.Clock, try); err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("the manifest is applied, but field manager %q also owns fields that it does not name: %w", s.FieldManager, err)
		}
		return nil
	}
}

func (s *session) releaseFrom(ctx context.Context, live workload.Object, object *unstructured.Unstructured, m *manifest) error {
	plain, err := appliedFields(m.applied.GetManagedFields(), s.FieldManager)
	if err != nil {
		return err
	}
	isBorrowed := within(fieldsOf(live).Borrowed)
	entries, err := released(object.GetManagedFields(), s.FieldManager, isBorrowed, only(plain, func(path fieldpath.Path) bool {
		isKept := m.keepsReplicas && path.Equals(fieldpath.MakePathOrDie("spec", "replicas"))
		return !isBorrowed(path) && !isKept
	}))
	if entries == nil || err != nil {
		return err
	}
	p := &patch{}
	p.set("/metadata/resourceVersion", object.GetResourceVersion())
	p.set("/metadata/managedFields", entries)
	if _, err = s.patchWorkload(ctx, live, p, false); err != nil {
		return explainOn(ctx, "patch", workload.ResourceOf(live), s.key, kube.Answered(err))
	}
	return nil
}

// within returns a function that reports whether a path is one of the fields, or below one.
func within(fields []ownership.Field) func(fieldpath.Path) bool {
	var paths []fieldpath.Path
	for _, field := range fields {
		var path fieldpath.Path
		for _, name := range field {
			path = append(path, fieldpath.PathElement{FieldName: &name})
		}
		paths = append(paths, path)
	}
	return func(path fieldpath.Path) bool {
		return slices.ContainsFunc(paths, func(field fieldpath.Path) bool { return len(path) >= len(field) && path[:len(field)].Equals(field) })
	}
}

// released returns the entries of which the manager's Apply entry has only the kept fields. Borrowed fields move to the
// manager's Update entry. It returns nil if nothing changes.
func released(
	entries []metav1.ManagedFieldsEntry, manager string, isBorrowed func(fieldpath.Path) bool, kept *fieldpath.Set,
) ([]metav1.ManagedFieldsEntry, error) {
	at := indexOf(entries, manager, metav1.ManagedFieldsOperationApply)
	applied, err := appliedFields(entries, manager)
	if at < 0 || err != nil || applied.Equals(kept) {
		return nil, err
	}
	entries = slices.Clone(entries)
	if err := setFields(&entries[at], kept); err != nil {
		return nil, err
	}
	moved := only(applied.Difference(kept), isBorrowed)
	if moved.Empty() {
		return entries, nil
	}
	to := indexOf(entries, manager, metav1.ManagedFieldsOperationUpdate)
	if to < 0 {
		to, entries = len(entries), append(entries, entries[at])
		entries[to].Operation = metav1.ManagedFieldsOperationUpdate
		return entries, setFields(&entries[to], moved)
	}
	var updated fieldpath.Set
	if err := updated.FromJSON(bytes.NewReader(entries[to].FieldsV1.GetRawBytes())); err != nil {
		return nil, err
	}
	entries[to].Time = entries[at].Time
	return entries, setFields(&entries[to], updated.Union(moved))
}

// appliedFields returns the fields that a manager applies.
func appliedFields(entries []metav1.ManagedFieldsEntry, manager string) (*fieldpath.Set, error) {
	set, at := fieldpath.NewSet(), indexOf(entries, manager, metav1.ManagedFieldsOperationApply)
	if at < 0 {
		return set, nil
	}
	return set, set.FromJSON(bytes.NewReader(entries[at].FieldsV1.GetRawBytes()))
}

// only returns the members of a set for which holds returns true.
func only(set *fieldpath.Set, holds func(fieldpath.Path) bool) *fieldpath.Set {
	found := fieldpath.NewSet()
	set.Iterate(func(path fieldpath.Path) {
		if holds(path) {
			found.Insert(path.Copy())
		}
	})
	return found
}

func setFields(entry *metav1.ManagedFieldsEntry, set *fieldpath.Set) error {
	text, err := set.ToJSON()
	if err != nil {
		return err
	}
	entry.FieldsV1 = &metav1.FieldsV1{}
	entry.FieldsV1.SetRawBytes(text)
	return nil
}

// indexOf returns the index of a manager's entry, or -1 if there is none.
func indexOf(entries []metav1.ManagedFieldsEntry, manager string, operation metav1.ManagedFieldsOperationType) int {
	return slices.IndexFunc(entries, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == manager && entry.Operation == operation && entry.Subresource == "" && entry.FieldsV1 != nil
	})
}
