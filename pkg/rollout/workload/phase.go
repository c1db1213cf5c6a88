package workload

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"
)

// Phase is how far a workload's rollout is. The names are part of the JSON output.
type Phase string

// The phases. PhaseOf returns those that the workload itself shows. The others need more information.
const (
	// Complete means that all wanted pods run the newest template and are available.
	Complete Phase = "complete"
	// Progressing means that the controller is at work.
	Progressing Phase = "progressing"
	// Unobserved means that the controller has not acted on the newest change yet.
	Unobserved Phase = "unobserved"
	// PhasePaused means that a Deployment is paused, so that its newest template is not rolled out.
	PhasePaused Phase = "paused"
	// Standing means that a stepwise rollout is open.
	Standing Phase = "standing"
	// PhaseFailed means that the rollout does not succeed by itself.
	PhaseFailed Phase = "failed"
	// OnDelete means that pods are replaced only when somebody deletes them.
	OnDelete Phase = "on-delete"
	// Partitioned means that a StatefulSet is complete up to its partition, and keeps older pods below that.
	Partitioned Phase = "partitioned"
	// PhaseRollingBack means that the old version returns: from a rollout that was followed, or with fields borrowed
	// for that.
	PhaseRollingBack Phase = "rolling-back"
	// PhaseRolledBack means that the old version is complete again, instead of the version that was followed.
	PhaseRolledBack Phase = "rolled-back"
	// PhaseTimedOut means that the command's own timeout passed first.
	PhaseTimedOut Phase = "timed-out"
	// PhaseOtherRevision means that the Deployment does not run the revision that was asked for.
	PhaseOtherRevision Phase = "other-revision"
	// PhaseDeleted means that the workload was deleted meanwhile.
	PhaseDeleted Phase = "deleted"
	// PhaseNotFound means that there is no such workload.
	PhaseNotFound Phase = "not-found"
	// PhaseUnknown means that the object could not be read, or is of a kind that has no rollouts.
	PhaseUnknown Phase = "unknown"
)

// timedOutReason is the controller's reason for a Deployment whose progress deadline has passed.
const timedOutReason = "ProgressDeadlineExceeded"

func phaseOfDeployment(d *appsv1.Deployment) Phase {
	status := d.Status
	switch {
	case d.Generation > status.ObservedGeneration:
		return Unobserved
	case exceededDeadline(d):
		return PhaseFailed
	case status.UpdatedReplicas >= ReplicasOf(d) && status.Replicas <= status.UpdatedReplicas && status.AvailableReplicas >= status.UpdatedReplicas:
		return Complete
	case d.Spec.Paused && (status.Replicas > status.UpdatedReplicas || status.UpdatedReplicas == 0):
		// A paused Deployment is still scaled. With new pods only, and fewer than wanted, the missing ones are on their way.
		return PhasePaused
	}
	return Progressing
}

func exceededDeadline(d *appsv1.Deployment) bool {
	for _, condition := range d.Status.Conditions {
		if condition.Type == appsv1.DeploymentProgressing && condition.Reason == timedOutReason {
			return true
		}
	}
	return false
}

func phaseOfStatefulSet(s *appsv1.StatefulSet) Phase {
	status, replicas, partition := s.Status, ptr.Deref(s.Spec.Replicas, 1), PartitionOf(s)
	switch {
	case s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType:
		return OnDelete
	case status.ObservedGeneration == 0 || s.Generation > status.ObservedGeneration:
		return Unobserved
	case status.AvailableReplicas < replicas || status.UpdatedReplicas < replicas-partition:
		return Progressing
	case status.UpdatedReplicas < replicas && status.CurrentRevision == status.UpdateRevision:
		// All pods should be of the newest revision, but some are not. Only the pods themselves show which.
		return Progressing
	case partition > 0 && status.UpdatedReplicas < replicas:
		return Partitioned
	}
	return Complete
}

func phaseOfDaemonSet(d *appsv1.DaemonSet) Phase {
	status := d.Status
	switch {
	case d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType:
		return OnDelete
	case d.Generation > status.ObservedGeneration:
		return Unobserved
	case status.UpdatedNumberScheduled < status.DesiredNumberScheduled || status.NumberAvailable < status.DesiredNumberScheduled:
		return Progressing
	}
	return Complete
}
