package history

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// State is what a revision is to its workload.
type State string

const (
	// StateCurrent is the revision of the workload's template, if no other revision has pods any more.
	StateCurrent State = "current"
	// StateNew is the revision of the workload's template while it is being rolled out.
	StateNew State = "new"
	// StateStable is the revision that still serves while the workload moves away from it.
	StateStable State = "stable"
	// StateOld is any other revision.
	StateOld State = "old"
)

// Unknown stands for a field manager if nobody can know which one it was.
const Unknown = "unknown"

// Revision is one entry of a workload's history.
type Revision struct {
	Number int64
	// UID is the UID of the revision's ReplicaSet or ControllerRevision.
	UID types.UID
	// Created is when the revision's ReplicaSet was made, or when its ControllerRevision got this number. Going back to a
	// revision makes no new ReplicaSet. MadeAfter then is the latest moment that is known to lie before that, else it is zero.
	Created, MadeAfter time.Time
	// Template is the pod template as the API server holds it, with fields that this client does not know.
	Template map[string]any
	// Images are the images of the containers, in their order.
	Images []string
	// Ready and Total count the revision's pods that are not being deleted. Both are zero if Uncounted is set.
	Ready, Total int32
	Uncounted    bool
	// ChangedBy is the field manager that made the revision, as far as the API server still knows it, or Unknown.
	ChangedBy   string
	ChangeCause string
	State       State
	// Failed says that the revision's rollout failed and went back, as far as that was recorded.
	Failed bool

	// name is the name of the ReplicaSet or ControllerRevision. reused says that this was made for an earlier revision.
	Name   string
	reused bool
}

// History holds the known revisions of a Deployment, StatefulSet or DaemonSet.
type History struct {
	// Template is the workload's own pod template, which may have no revision yet.
	Template map[string]any
	// Revisions are sorted by their numbers, which are unique.
	Revisions []Revision
	// Blind is the missing right because of which pods could not be counted, or nil.
	Blind error
}

// Find returns the revision with this number, or nil if there is none.
func (h *History) Find(number int64) *Revision {
	for i := range h.Revisions {
		if h.Revisions[i].Number == number {
			return &h.Revisions[i]
		}
	}
	return nil
}

// Current returns the revision of the workload's template, or nil if its controller has made none yet.
func (h *History) Current() *Revision {
	for i := range h.Revisions {
		if state := h.Revisions[i].State; state == StateCurrent || state == StateNew {
			return &h.Revisions[i]
		}
	}
	return nil
}

// Previous returns the latest revision before the workload's template, or nil if there is none.
func (h *History) Previous() *Revision {
	current := h.Current()
	for i := range slices.Backward(h.Revisions) {
		if current == nil || h.Revisions[i].Number < current.Number {
			return &h.Revisions[i]
		}
	}
	return nil
}

// Read reads the history of a Deployment, StatefulSet or DaemonSet, which kind names. Counting the pods of the latter
// two takes a list of pods, which Read skips if countPods is false. Without the right to list pods, they stay uncounted.
func Read(ctx context.Context, client kubernetes.Interface, kind string, key types.NamespacedName, countPods bool) (*History, error) {
	resources := map[string]string{"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
	resource, known := resources[kind]
	if !known {
		return nil, fmt.Errorf("a %s has no rollout history", kind)
	}
	object, err := kube.GetRaw(ctx, client, resource, key.Namespace, key.Name)
	if err != nil {
		return nil, err
	}
	w, err := newOwner(object)
	if err != nil {
		return nil, err
	}
	options := metav1.ListOptions{LabelSelector: w.selector}
	if w.workload.HasReplicaSets {
		sets, err := rawReplicaSets(ctx, client, key.Namespace, options)
		if err != nil {
			return nil, err
		}
		return w.ofReplicaSets(sets)
	}
	revisions, err := client.AppsV1().ControllerRevisions(key.Namespace).List(ctx, options)
	if err != nil {
		return nil, err
	}
	pods := &corev1.PodList{}
	if countPods {
		pods, err = client.CoreV1().Pods(key.Namespace).List(ctx, options)
	}
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	blind := err
	w.uncounted = !countPods || blind != nil
	history, err := w.ofControllerRevisions(revisions.Items, pods.Items)
	if err == nil {
		history.Blind = blind
	}
	return history, err
}

func rawReplicaSets(ctx context.Context, client kubernetes.Interface, namespace string, options metav1.ListOptions) ([]unstructured.Unstructured, error) {
	body, err := client.AppsV1().RESTClient().Get().Namespace(namespace).Resource("replicasets").
		VersionedParams(&options, scheme.ParameterCodec).SetHeader("Accept", "application/json").Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	var list unstructured.UnstructuredList
	return list.Items, json.Unmarshal(body, &list)
}
