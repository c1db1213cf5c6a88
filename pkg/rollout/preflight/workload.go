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

// The ways in which pods are replaced.
const (
	RollingUpdate = "RollingUpdate"
	Recreate      = "Recreate"
	OnDelete      = "OnDelete"
)

// Workload is what checks look at, whatever its kind.
type Workload struct {
	Kind, Namespace, Name string
	// Replicas is how many pods there are to be; of a DaemonSet, on how many nodes.
	Replicas        int32
	Selector        *metav1.LabelSelector
	Template        *corev1.PodTemplateSpec
	MinReadySeconds int32
	// Deadline is progressDeadlineSeconds, which only a Deployment has.
	Deadline *int32
	Strategy string
	// Partition and ServiceName are a StatefulSet's.
	Partition   int32
	ServiceName string
	// Open says what a stepwise rollout is about that is open, and Failed why the present rollout has failed. They are empty
	// where that is not so.
	Open, Failed string
}

// Other is another workload of the namespace.
type Other struct {
	Kind, Name string
	Selector   *metav1.LabelSelector
	// Labels are those of its pods.
	Labels map[string]string
}

// live is the workload as it is now.
func (in *Input) live() *Workload {
	if in.Live == nil {
		return &in.Workload
	}
	return in.Live
}

func template(in *Input) *corev1.PodSpec { return &in.Workload.Template.Spec }

// containers are all that run, init containers included.
func containers(spec *corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...)
}

// matches tells whether a selector matches a set of labels. An empty one is no workload's.
func matches(selector *metav1.LabelSelector, set map[string]string) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && !parsed.Empty() && parsed.Matches(labels.Set(set))
}
