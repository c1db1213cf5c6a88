package rollout

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"
)

// leaveStep adds the change of the strategy to the patch of the way back, and returns the record for it. The way back
// may borrow a limit that is narrower than the workload's own, and a lower partition. It keeps these until the old
// version is complete. A strategy that others have set stays as it is.
func (s *otherSession) leaveStep(ctx context.Context, now *Snapshot, p *patch) (*Record, error) {
	back, update := *s.record, *s.record.Update
	back.Update = &update
	if s.state == RollingBack {
		return &back, p.record(&back) // the workload already has the strategy of the way back
	}
	if !update.holds(now.Workload) {
		return &back, s.withoutRecord(p, &back, now.Workload, RolledBack)
	}
	if now.numbers == nil { // its controller has not observed the workload as it is now
		revisions, err := s.revisionsOf(ctx, now.Workload)
		if err != nil {
			return nil, err
		}
		now.numbers = numbersOf(revisions)
	}
	paced := update.Paced && s.altered == nil
	if now.hasLeftKept(s.record) && s.altered == nil {
		update.Returning = ptr.To[int32](0)
	}
	limit := &back.Plan.Limits.Unavailable
	if !paced {
		limit = nil
	}
	if err := update.giveBack(p, now.Workload, limit); err != nil {
		return nil, err
	}
	if back.RollingBack = paced || update.Returning != nil; back.RollingBack {
		signed, err := s.signed(&back, now.Workload)
		if err != nil {
			return nil, err
		}
		return signed, p.record(signed)
	}
	return &back, s.withoutRecord(p, &back, now.Workload, RolledBack)
}

// hasLeftKept reports whether pods that a StatefulSet's own partition keeps run the rollout's version, or are going to.
// This happens after the StatefulSet was scaled to 0 and back: its controller then takes the update revision for the
// current one, and makes the pods below the partition from it.
func (s *Snapshot) hasLeftKept(record *Record) bool {
	set, is := s.Workload.(*appsv1.StatefulSet)
	kept, err := record.Update.kept()
	if !is || err != nil || kept == 0 {
		return false
	}
	isLeft := func(revision string) bool {
		return revision != record.From.ControllerRevision && s.numbers[revision] >= record.ToRevision
	}
	end := int(startOf(set)) + int(min(kept, PodCountsOf(set).Desired))
	for _, pod := range s.Pods {
		if ordinal := ordinalOf(set, pod); ordinal >= 0 && ordinal < end && isLeft(pod.Labels[appsv1.ControllerRevisionHashLabelKey]) {
			return true
		}
	}
	return isLeft(set.Status.CurrentRevision)
}
