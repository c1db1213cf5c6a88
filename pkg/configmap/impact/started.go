package impact

import (
	"cmp"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Run is a pod with running containers.
type Run struct {
	// Started is the earliest start time of the containers that run now.
	Started time.Time
	// Revision is the revision of the pod's last write, which came after Started, or 0 if it is not known.
	Revision Revision
}

// Started collects when the containers of pods were started, by the controller of the pods.
type Started struct {
	pods   map[types.UID][]Run
	owners map[types.UID]types.UID
}

// See records a pod or a ReplicaSet.
func (s *Started) See(object runtime.Object) {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
			s.owners = with(s.owners, o.UID, owner.UID)
		}
	case *corev1.Pod:
		owner, first := metav1.GetControllerOfNoCopy(o), startOf(o)
		if owner == nil || first.IsZero() || o.DeletionTimestamp != nil {
			return
		}
		s.pods = with(s.pods, owner.UID, append(s.pods[owner.UID], Run{first, RevisionOf(o)}))
	}
}

func with[V any](in map[types.UID]V, key types.UID, value V) map[types.UID]V {
	if in == nil {
		in = map[types.UID]V{}
	}
	in[key] = value
	return in
}

// Add sets the running pods of each workload. The pod that was started first comes first.
func (s *Started) Add(workloads []Workload) {
	runs := map[types.UID][]Run{}
	for owner, some := range s.pods {
		if of, owned := s.owners[owner]; owned {
			owner = of
		}
		runs[owner] = append(runs[owner], some...)
	}
	for i := range workloads {
		w := &workloads[i]
		if w.Runs = runs[w.UID]; len(w.Runs) == 0 {
			continue
		}
		slices.SortFunc(w.Runs, func(a, b Run) int {
			return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Revision, b.Revision))
		})
		w.Since = w.Runs[0].Started
	}
}

// startOf returns the earliest start time of a pod's running containers and its finished init containers.
func startOf(pod *corev1.Pod) time.Time {
	var first time.Time
	see := func(at metav1.Time) {
		if !at.IsZero() && (first.IsZero() || at.Time.Before(first)) {
			first = at.Time
		}
	}
	for i := range pod.Status.ContainerStatuses {
		if running := pod.Status.ContainerStatuses[i].State.Running; running != nil {
			see(running.StartedAt)
		}
	}
	for i := range pod.Status.InitContainerStatuses {
		switch state := pod.Status.InitContainerStatuses[i].State; {
		case state.Running != nil:
			see(state.Running.StartedAt)
		case state.Terminated != nil:
			see(state.Terminated.StartedAt)
		}
	}
	return first
}
