package rollout

// The names in this file stand for those of package workload, until the files of the engine use these themselves.

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// replicasOf stands for moved.ReplicasOf.
func replicasOf(d *appsv1.Deployment) int32 { return moved.ReplicasOf(d) }

// Workload stands for moved.Object.
type Workload = moved.Object

// Phase stands for moved.Phase.
type Phase = moved.Phase

// Complete stands for moved.Complete.
const Complete = moved.Complete

// Progressing stands for moved.Progressing.
const Progressing = moved.Progressing

// Unobserved stands for moved.Unobserved.
const Unobserved = moved.Unobserved

// PhasePaused stands for moved.PhasePaused.
const PhasePaused = moved.PhasePaused

// Standing stands for moved.Standing.
const Standing = moved.Standing

// PhaseFailed stands for moved.PhaseFailed.
const PhaseFailed = moved.PhaseFailed

// OnDelete stands for moved.OnDelete.
const OnDelete = moved.OnDelete

// Partitioned stands for moved.Partitioned.
const Partitioned = moved.Partitioned

// PhaseRollingBack stands for moved.PhaseRollingBack.
const PhaseRollingBack = moved.PhaseRollingBack

// PhaseRolledBack stands for moved.PhaseRolledBack.
const PhaseRolledBack = moved.PhaseRolledBack

// PhaseOf stands for moved.PhaseOf.
func PhaseOf(workload Workload) Phase { return moved.PhaseOf(workload) }

// KindOf stands for moved.KindOf.
func KindOf(workload Workload) string { return moved.KindOf(workload) }

// kindOf stands for moved.ResourceOf.
func kindOf(workload Workload) string { return moved.ResourceOf(workload) }

// RevisionAnnotation stands for moved.RevisionAnnotation.
const RevisionAnnotation = moved.RevisionAnnotation

// isActive stands for moved.IsActive.
func isActive(pod *corev1.Pod) bool { return moved.IsActive(pod) }

// SameTemplate stands for moved.SameTemplate.
func SameTemplate(a, b *corev1.PodTemplateSpec) bool { return moved.SameTemplate(a, b) }

// RevisionOf stands for moved.RevisionOf.
func RevisionOf(object metav1.Object) int64 { return moved.RevisionOf(object) }

// nextRevision stands for moved.NextRevision.
func nextRevision(replicaSets []*appsv1.ReplicaSet, template *corev1.PodTemplateSpec) int64 {
	return moved.NextRevision(replicaSets, template)
}

// ownedBy stands for moved.OwnedBy.
func ownedBy(pod *corev1.Pod, rs *appsv1.ReplicaSet) bool { return moved.OwnedBy(pod, rs) }

// readySince stands for moved.ReadySince.
func readySince(pod *corev1.Pod) (bool, time.Time) { return moved.ReadySince(pod) }

// podCondition stands for moved.PodCondition.
func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	return moved.PodCondition(pod, kind)
}

// sizeOf stands for moved.SizeOf.
func sizeOf(rs *appsv1.ReplicaSet) int32 { return moved.SizeOf(rs) }

// PodCountsOf stands for moved.PodCountsOf.
func PodCountsOf(workload Workload) PodCounts { return moved.PodCountsOf(workload) }

// TemplateOf stands for moved.TemplateOf.
func TemplateOf(object runtime.Object) *corev1.PodTemplateSpec { return moved.TemplateOf(object) }

// ObservedGenerationOf stands for moved.ObservedGenerationOf.
func ObservedGenerationOf(workload runtime.Object) int64 { return moved.ObservedGenerationOf(workload) }

// partitionOf stands for moved.PartitionOf.
func partitionOf(set *appsv1.StatefulSet) int32 { return moved.PartitionOf(set) }

// keyOf stands for moved.KeyOf.
func keyOf(workload Workload) types.NamespacedName { return moved.KeyOf(workload) }

// selectorOf stands for moved.SelectorOf.
func selectorOf(workload Workload) *metav1.LabelSelector { return moved.SelectorOf(workload) }

// ConditionsOf stands for moved.ConditionsOf.
func ConditionsOf(workload Workload) []Condition { return moved.ConditionsOf(workload) }

// updatedPod stands for moved.UpdatedPod.
func updatedPod(workload Workload, pods []*corev1.Pod) func(*corev1.Pod) bool {
	return moved.UpdatedPod(workload, pods)
}

// newestPod stands for moved.NewestPod.
func newestPod(workload Workload, pods []*corev1.Pod) func(*corev1.Pod) bool {
	return moved.NewestPod(workload, pods)
}

// PodCounts stands for moved.PodCounts.
type PodCounts = moved.PodCounts

// Condition stands for moved.Condition.
type Condition = moved.Condition

// IsWorkload stands for moved.Is.
func IsWorkload(object runtime.Object) bool { return moved.Is(object) }

// minReadySecondsOf stands for moved.MinReadySecondsOf.
func minReadySecondsOf(workload Workload) int32 { return moved.MinReadySecondsOf(workload) }

// isPaused stands for moved.IsPaused.
func isPaused(workload Workload) bool { return moved.IsPaused(workload) }
