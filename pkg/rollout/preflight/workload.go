package preflight

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// The kinds of workloads.
const (
	Deployment  = "Deployment"
	StatefulSet = "StatefulSet"
	DaemonSet   = "DaemonSet"
)

// The update strategies.
const (
	RollingUpdate = "RollingUpdate"
	Recreate      = "Recreate"
	OnDelete      = "OnDelete"
)

// Workload is a workload of any kind, reduced to what the checks need.
type Workload struct {
	Kind, Namespace, Name string
	// Replicas is the wanted number of pods. For a DaemonSet it is the number of nodes.
	Replicas        int32
	Selector        *metav1.LabelSelector
	Template        *corev1.PodTemplateSpec
	MinReadySeconds int32
	// Deadline is progressDeadlineSeconds, which only a Deployment has.
	Deadline *int32
	Strategy string
	// Partition and ServiceName are fields of a StatefulSet.
	Partition   int32
	ServiceName string
	// Open describes an open stepwise rollout, and Failed says why the present rollout has failed. Each is empty if there is no
	// such rollout.
	Open, Failed string
}

// Other is another workload of the namespace.
type Other struct {
	Kind, Name string
	Selector   *metav1.LabelSelector
	// Labels are the labels of its pods.
	Labels map[string]string
}

// live returns the workload as it is now.
func (in *Input) live() *Workload {
	if in.Live == nil {
		return &in.Workload
	}
	return in.Live
}

func template(in *Input) *corev1.PodSpec { return &in.Workload.Template.Spec }

// containers returns all containers, including init containers.
func containers(spec *corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...)
}

// matches reports whether a selector matches a set of labels. An empty selector matches nothing, since no workload has one.
func matches(selector *metav1.LabelSelector, set map[string]string) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && !parsed.Empty() && parsed.Matches(labels.Set(set))
}
