package workload

import (
	"cmp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Object is a Deployment, StatefulSet or DaemonSet of apps/v1.
type Object interface {
	runtime.Object
	metav1.Object
}

// Workload is what the three kinds have in common, read once from an object. Its zero value stands for an object of another
// kind.
type Workload struct {
	// Object is the object that the workload was read from.
	Object Object
	// Kind is the kind, such as "Deployment". An object that was read with a typed client need not have its own kind set.
	Kind string
	// HasReplicaSets is set if the revisions are ReplicaSets: those of a Deployment. The other kinds have ControllerRevisions.
	HasReplicaSets bool
	// HasOrdinals is set if the pods are numbered, each with a claim of its own: those of a StatefulSet.
	HasOrdinals bool
	// IsPerNode is set if there is one pod on each node: those of a DaemonSet.
	IsPerNode bool

	ObservedGeneration int64
	Template           *corev1.PodTemplateSpec
	Selector           *metav1.LabelSelector
	MinReadySeconds    int32
	// Paused is set for a paused Deployment: its newest template is not rolled out.
	Paused bool
	Counts PodCounts
	// Collisions is how often the controller found the name of a new revision taken.
	Collisions int32
	Phase      Phase
	// IsReplacing is set if pods of an older template may be serving, and the controller replaces them. A paused Deployment, a
	// partitioned StatefulSet and the strategy OnDelete replace no pods.
	IsReplacing bool

	// Strategy is the strategy of updates as the object has it, and StrategyType is its type.
	Strategy     any
	StrategyType string
	// MaxSurge and MaxUnavailable are the limits of the strategy. They are nil if the strategy has none.
	MaxSurge, MaxUnavailable *intstr.IntOrString
	// Partition is how many pods of a StatefulSet keep their version.
	Partition int32
	// CurrentRevision and UpdateRevision are the names of a StatefulSet's ControllerRevisions.
	CurrentRevision, UpdateRevision string
	// templateGeneration is the label of a DaemonSet's newest pods.
	templateGeneration string
}

// Match calls the function for the kind of an object and returns the result. For an object of another kind it returns the zero
// value. This is the only place that asks for the Go type of a workload.
func Match[T any](
	object runtime.Object, deployment func(*appsv1.Deployment) T, statefulSet func(*appsv1.StatefulSet) T, daemonSet func(*appsv1.DaemonSet) T,
) T {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return deployment(o)
	case *appsv1.StatefulSet:
		return statefulSet(o)
	case *appsv1.DaemonSet:
		return daemonSet(o)
	}
	var none T
	return none
}

// Of reads a workload from an object.
func Of(object runtime.Object) Workload {
	return Match(object, ofDeployment, ofStatefulSet, ofDaemonSet)
}

// Is reports whether an object is one of the three kinds.
func Is(object runtime.Object) bool { return Of(object).Kind != "" }

// KindOf returns the kind of a workload.
func KindOf(workload Object) string { return cmp.Or(Of(workload).Kind, "Deployment") }

// ResourceOf returns the kind in lower case, as people type it: "deployment".
func ResourceOf(workload Object) string { return strings.ToLower(KindOf(workload)) }

// TemplateOf returns the pod template of a workload, or nil for an object of another kind.
func TemplateOf(object runtime.Object) *corev1.PodTemplateSpec { return Of(object).Template }

// ObservedGenerationOf returns the generation that a workload's controller has acted on.
func ObservedGenerationOf(workload runtime.Object) int64 { return Of(workload).ObservedGeneration }

// MinReadySecondsOf returns for how long a pod of a workload has to be ready before it counts.
func MinReadySecondsOf(workload Object) int32 { return Of(workload).MinReadySeconds }

// SelectorOf returns the label selector of a workload.
func SelectorOf(workload Object) *metav1.LabelSelector { return Of(workload).Selector }

// PodCountsOf returns the counts of a workload.
func PodCountsOf(workload Object) PodCounts { return Of(workload).Counts }

// PhaseOf returns the phase that a workload shows by itself.
func PhaseOf(workload Object) Phase { return cmp.Or(Of(workload).Phase, Progressing) }

// IsPaused reports whether a workload is paused, which only a Deployment can be.
func IsPaused(workload Object) bool { return Of(workload).Paused }

// PodCounts are the numbers of a workload's pods in its own status. Old counts the pods of other templates than the
// newest.
type PodCounts struct {
	Desired, Updated, Ready, Available, Total, Old, Unavailable int32
	// Terminating counts the pods that are still terminating. It is nil if the server does not report them.
	Terminating *int32
}

// PartitionOf returns how many pods of a StatefulSet keep their version.
func PartitionOf(set *appsv1.StatefulSet) int32 {
	if update := set.Spec.UpdateStrategy.RollingUpdate; update != nil && update.Partition != nil {
		return *update.Partition
	}
	return 0
}

// KeyOf returns the namespace and the name of a workload.
func KeyOf(workload Object) types.NamespacedName {
	return types.NamespacedName{Namespace: workload.GetNamespace(), Name: workload.GetName()}
}

// Condition is a condition in the status of a workload.
type Condition struct {
	Type, Status, Reason, Message string
}

// TemplateGeneration is the label by which the DaemonSet controller recognizes the pods of the newest template.
const TemplateGeneration = "pod-template-generation"

// UpdatedPod returns a function that reports whether a pod is of the newest template of a StatefulSet or DaemonSet.
// Pods that have ended or are being deleted are left out.
func UpdatedPod(workload Object, pods []*corev1.Pod) func(*corev1.Pod) bool {
	isNewest := NewestPod(workload, pods)
	return func(pod *corev1.Pod) bool { return isNewest(pod) && IsActive(pod) }
}

// NewestPod is UpdatedPod, but includes pods that have ended or are being deleted.
func NewestPod(workload Object, pods []*corev1.Pod) func(*corev1.Pod) bool {
	hash := func(pod *corev1.Pod) string { return pod.Labels[appsv1.ControllerRevisionHashLabelKey] }
	w := Of(workload)
	newest := w.UpdateRevision
	if w.templateGeneration != "" {
		// No watched object names the newest revision of a DaemonSet, but the labels of one of its pods have its hash.
		for _, pod := range pods {
			if metav1.IsControlledBy(pod, workload) && pod.Labels[TemplateGeneration] == w.templateGeneration {
				newest = hash(pod)
			}
		}
	}
	return func(pod *corev1.Pod) bool {
		return newest != "" && hash(pod) == newest && metav1.IsControlledBy(pod, workload)
	}
}

// ReplicasOf returns spec.replicas, or 1 if it is not set, as the API server defaults it.
func ReplicasOf(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}
