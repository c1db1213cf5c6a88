package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// stepper returns the input for a decision at a step.
func (s *Snapshot) stepper(record *Record, current *appsv1.ReplicaSet, limits Resolved, now time.Time) *stepper {
	st := &stepper{Snapshot: s, record: record, current: current, limits: limits, target: record.Target(replicasOf(s.deployment())), now: now}
	st.counts, st.wake = s.count(current, record.Wanted().MinReadySeconds, now)
	// Surplus pods of the ReplicaSet are about to go: no old pod may go in exchange for them.
	st.counts.NewReady = min(st.counts.NewReady, sizeOf(current))
	return st
}

// stepper is the same for a StatefulSet or DaemonSet.
func (s *Snapshot) otherStepper(record *Record, now time.Time) *otherStepper {
	st := &otherStepper{Snapshot: s, record: record, replicas: stepped(s.Workload, record.Update), now: now}
	st.target = record.Target(st.replicas)
	st.counts, st.wake = countPods(st.wanted(), s.isNew, s.minReadySeconds(), now)
	return st
}

// orStalled returns the given wait, or the failure of a step without progress within the Deployment's own deadline.
func orStalled(s *Snapshot, record *Record, current *appsv1.ReplicaSet, m memory, otherwise await, now time.Time) action {
	deadline := record.Wanted().ProgressDeadlineSeconds
	if deadline == nil || *deadline == GateProgressDeadlineSeconds {
		return otherwise
	}
	due := m.progressAt.Add(time.Duration(*deadline) * time.Second)
	if now.Before(due) {
		return await{until: earlier(otherwise.until, due)}
	}
	finding := s.stalled(current, *deadline)
	if record.Plan.OnFailure == OnFailureHold {
		return stop{outcome: Failed, finding: finding}
	}
	return goBack{finding: finding}
}
