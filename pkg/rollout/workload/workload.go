package workload

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Object is a Deployment, StatefulSet or DaemonSet of apps/v1.
type Object interface {
	runtime.Object
	metav1.Object
}

// Is reports whether an object is one of the three kinds.
func Is(object runtime.Object) bool {
	switch object.(type) {
	case *appsv1.Deployment, *appsv1.StatefulSet, *appsv1.DaemonSet:
		return true
	}
	return false
}

// KindOf returns the kind of a workload. An object that was read with a typed client need not have its own kind set.
func KindOf(workload Object) string {
	switch workload.(type) {
	case *appsv1.StatefulSet:
		return "StatefulSet"
	case *appsv1.DaemonSet:
		return "DaemonSet"
	}
	return "Deployment"
}

// ResourceOf returns the kind in lower case, as people type it: "deployment".
func ResourceOf(workload Object) string { return strings.ToLower(KindOf(workload)) }

// PodCounts are the numbers of a workload's pods in its own status. Old counts the pods of other templates than the
// newest.
type PodCounts struct {
	Desired, Updated, Ready, Available, Total, Old, Unavailable int32
	// Terminating counts the pods that are still terminating. It is nil if the server does not report them.
	Terminating *int32
}

// PodCountsOf returns the counts of a workload.
func PodCountsOf(workload Object) PodCounts {
	var c PodCounts
	switch w := workload.(type) {
	case *appsv1.Deployment:
		s := w.Status
		c = PodCounts{Desired: ReplicasOf(w), Updated: s.UpdatedReplicas, Ready: s.ReadyReplicas, Available: s.AvailableReplicas, Total: s.Replicas}
		c.Terminating = s.TerminatingReplicas
	case *appsv1.StatefulSet:
		s := w.Status
		c = PodCounts{Desired: 1, Updated: s.UpdatedReplicas, Ready: s.ReadyReplicas, Available: s.AvailableReplicas, Total: s.Replicas}
		if w.Spec.Replicas != nil {
			c.Desired = *w.Spec.Replicas
		}
	case *appsv1.DaemonSet:
		s := w.Status
		c = PodCounts{
			Desired: s.DesiredNumberScheduled, Updated: s.UpdatedNumberScheduled, Ready: s.NumberReady,
			Available: s.NumberAvailable, Total: s.CurrentNumberScheduled,
		}
	}
	c.Old, c.Unavailable = max(c.Total-c.Updated, 0), max(c.Desired-c.Available, 0)
	return c
}

// TemplateOf returns the pod template of a workload, or nil for an object of another kind.
func TemplateOf(object runtime.Object) *corev1.PodTemplateSpec {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	}
	return nil
}

// ObservedGenerationOf returns the generation that a workload's controller has acted on.
func ObservedGenerationOf(workload runtime.Object) int64 {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return w.Status.ObservedGeneration
	case *appsv1.StatefulSet:
		return w.Status.ObservedGeneration
	case *appsv1.DaemonSet:
		return w.Status.ObservedGeneration
	}
	return 0
}

// MinReadySecondsOf returns for how long a pod of a workload has to be ready before it counts.
func MinReadySecondsOf(workload Object) int32 {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return w.Spec.MinReadySeconds
	case *appsv1.StatefulSet:
		return w.Spec.MinReadySeconds
	case *appsv1.DaemonSet:
		return w.Spec.MinReadySeconds
	}
	return 0
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

// SelectorOf returns the label selector of a workload.
func SelectorOf(workload Object) *metav1.LabelSelector {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return w.Spec.Selector
	case *appsv1.StatefulSet:
		return w.Spec.Selector
	case *appsv1.DaemonSet:
		return w.Spec.Selector
	}
	return nil
}

// Condition is a condition in the status of a workload.
type Condition struct {
	Type, Status, Reason, Message string
}

// ConditionsOf returns the conditions of a workload.
func ConditionsOf(workload Object) []Condition {
	var all []Condition
	switch w := workload.(type) {
	case *appsv1.Deployment:
		for _, c := range w.Status.Conditions {
			all = append(all, Condition{string(c.Type), string(c.Status), c.Reason, c.Message})
		}
	case *appsv1.StatefulSet:
		for _, c := range w.Status.Conditions {
			all = append(all, Condition{string(c.Type), string(c.Status), c.Reason, c.Message})
		}
	case *appsv1.DaemonSet:
		for _, c := range w.Status.Conditions {
			all = append(all, Condition{string(c.Type), string(c.Status), c.Reason, c.Message})
		}
	}
	return all
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
	newest := ""
	switch w := workload.(type) {
	case *appsv1.StatefulSet:
		newest = w.Status.UpdateRevision
	case *appsv1.DaemonSet:
		// None of the watched objects names the newest revision, but the labels of one of its pods have its hash.
		generation := w.Annotations[appsv1.DeprecatedTemplateGeneration]
		for _, pod := range pods {
			if metav1.IsControlledBy(pod, w) && generation != "" && pod.Labels[TemplateGeneration] == generation {
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
