package rollout

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// source keeps a workload, its pods, and any ReplicaSets between them up to date by watches.
type source struct {
	*informer.Objects
	hasReplicaSets bool
}

// newSource prepares the watches. The methods Start and Close begin and end them. It watches only what belongs to the
// workload, a Deployment, StatefulSet or DaemonSet: the workload by its name, the other objects by its selector.
func newSource(client kubernetes.Interface, c clock.Clock, w workload.Object, onCount func()) (*source, error) {
	namespace, name := w.GetNamespace(), w.GetName()
	byName := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	}
	s := &source{Objects: informer.NewObjects(c, onCount)}
	of := workload.Of(w)
	own := kube.Workloads(client, of.Kind, namespace)
	if own == nil {
		return nil, fmt.Errorf("no rollout is known of %T", w)
	}
	s.Watch(client, workload.ResourceOf(w)+"s", workload.New(of.Kind), informer.ListWatch(own.List, own.Watch, byName))
	selector, err := metav1.LabelSelectorAsSelector(workload.SelectorOf(w))
	if err != nil {
		return nil, fmt.Errorf("the selector of %s %q does not parse: %w", workload.ResourceOf(w), name, err)
	}
	byLabel := func(o *metav1.ListOptions) { o.LabelSelector = selector.String() }
	if s.hasReplicaSets = of.HasReplicaSets; s.hasReplicaSets {
		sets := client.AppsV1().ReplicaSets(namespace)
		s.Watch(client, "replicasets", &appsv1.ReplicaSet{}, informer.ListWatch(sets.List, sets.Watch, byLabel))
	}
	pods := client.CoreV1().Pods(namespace)
	s.Watch(client, "pods", &corev1.Pod{}, informer.ListWatch(pods.List, pods.Watch, byLabel))
	return s, nil
}

// workload returns the workload that is watched, or nil if it does not exist.
func (s *source) workload() workload.Object {
	for _, found := range listOf[workload.Object](s.List(0)) {
		return found
	}
	return nil
}

// pods returns all pods that the selector of the workload matches.
func (s *source) pods() []*corev1.Pod {
	if s.hasReplicaSets {
		return listOf[*corev1.Pod](s.List(2))
	}
	return listOf[*corev1.Pod](s.List(1))
}

// snapshot returns what is known now.
func (s *source) snapshot() Snapshot {
	since := s.StaleSince() // first of all: otherwise stale objects might count as fresh if the connection comes back just now
	var sets []*appsv1.ReplicaSet
	if s.hasReplicaSets {
		sets = listOf[*appsv1.ReplicaSet](s.List(1))
	}
	snapshot := NewSnapshot(s.workload(), sets, s.pods())
	snapshot.StaleSince = since
	return snapshot
}

func listOf[T any](objects []any) []T {
	typed := make([]T, 0, len(objects))
	for _, object := range objects {
		if o, ok := object.(T); ok {
			typed = append(typed, o)
		}
	}
	return typed
}

// tellHeldBack emits once that watches do not deliver what lists find.
func (s *session) tellHeldBack() {
	if s.toldHeldBack || s.source == nil {
		return
	}
	if resources := s.source.HeldBack(); len(resources) > 0 {
		s.toldHeldBack = true
		s.emit(ProgressEvent{Message: informer.HeldBackWarning(resources)})
	}
}
