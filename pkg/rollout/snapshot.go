package rollout

import (
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// desiredAnnotation is where the Deployment controller keeps the replicas that it sized a ReplicaSet for.
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas"

// Snapshot is a workload with its revisions and pods at one moment.
type Snapshot struct {
	// Workload is nil if it does not exist.
	Workload workload.Object
	// ReplicaSets are those that a Deployment controls.
	ReplicaSets []*appsv1.ReplicaSet
	// Newest is the revision of the pod template of a StatefulSet or DaemonSet. It is nil if the controller has not made it
	// yet, or if it is not known.
	Newest *appsv1.ControllerRevision
	// Pods are those that the workload or its ReplicaSets control, except those that have ended or are being deleted.
	Pods []*corev1.Pod
	// Gone are the pods that have ended or are being deleted.
	Gone []*corev1.Pod
	// Events are the events of pods whose state only events show.
	Events []*corev1.Event
	// Deaf is set if events cannot be read.
	Deaf bool
	// Claims are the claims of pods that wait for a node. NoClaims is set if they cannot be read.
	Claims   []*corev1.PersistentVolumeClaim
	NoClaims bool
	// StaleSince is when the connection to the API server was lost, or zero while there is one.
	StaleSince time.Time

	// current caches the result of Current: comparing templates is expensive, and every decision needs it.
	current *appsv1.ReplicaSet
	// numbers maps the names of all ControllerRevisions to their numbers. It is nil if they are not known.
	numbers map[string]int64
	// deleted holds pods that this process has deleted. The watch may not have delivered that yet.
	deleted map[types.UID]bool
	// report is the report of the last diagnosis. obstacle says which pod a StatefulSet waits for, or is "", and mends is when
	// to look at that pod again.
	report   *diagnose.Report
	obstacle string
	mends    time.Time
}

// NewSnapshot returns the snapshot of a workload with those of the objects that belong to it. Only a Deployment has
// ReplicaSets.
func NewSnapshot(w workload.Object, replicaSets []*appsv1.ReplicaSet, pods []*corev1.Pod) Snapshot {
	snapshot := Snapshot{Workload: w}
	if w == nil {
		return snapshot
	}
	owners := map[types.UID]bool{w.GetUID(): true}
	for _, rs := range replicaSets {
		if metav1.IsControlledBy(rs, w) {
			snapshot.ReplicaSets = append(snapshot.ReplicaSets, rs)
			owners[rs.UID] = true
		}
	}
	for _, pod := range pods {
		owner := metav1.GetControllerOfNoCopy(pod)
		switch {
		case owner == nil || !owners[owner.UID]:
		case workload.IsActive(pod):
			snapshot.Pods = append(snapshot.Pods, pod)
		default:
			snapshot.Gone = append(snapshot.Gone, pod)
		}
	}
	return snapshot
}

// deployment returns the workload as a Deployment, or nil if it is of another kind.
func (s *Snapshot) deployment() *appsv1.Deployment {
	d, _ := s.Workload.(*appsv1.Deployment)
	return d
}

// Observed reports whether the controller has acted on the present workload.
func (s *Snapshot) Observed() bool {
	return workload.ObservedGenerationOf(s.Workload) >= s.Workload.GetGeneration()
}

// scaled reports whether the known ReplicaSets have followed the present number of replicas. On each ReplicaSet with
// pods, the controller notes the number that it sized the ReplicaSet for (isScalingEvent in its sync.go). The watches
// are independent of each other, and the one of the ReplicaSets may lag behind. If a single ReplicaSet has the right
// size already, the controller changes nothing, not even that note.
func (s *Snapshot) scaled() bool {
	replicas, followed := workload.ReplicasOf(s.deployment()), true
	var active, rightSize int
	for _, rs := range s.ReplicaSets {
		if workload.SizeOf(rs) == 0 {
			continue
		}
		active++
		if workload.SizeOf(rs) == replicas {
			rightSize++
		}
		desired, err := strconv.ParseInt(rs.Annotations[desiredAnnotation], 10, 32)
		followed = followed && (err != nil || int32(desired) == replicas)
	}
	return followed || active == 1 && rightSize == 1
}

// resizing reports whether a ReplicaSet has yet to report that it has followed its size.
func (s *Snapshot) resizing() bool {
	for _, rs := range s.ReplicaSets {
		if rs.Status.ObservedGeneration < rs.Generation || rs.Status.AvailableReplicas > workload.SizeOf(rs) {
			return true
		}
	}
	return false
}

// Current returns the ReplicaSet of the Deployment's present template, or nil if the controller has not made it yet.
func (s *Snapshot) Current() *appsv1.ReplicaSet {
	if s.current == nil && len(s.ReplicaSets) > 0 {
		s.current = workload.FindByTemplate(s.ReplicaSets, workload.TemplateOf(s.Workload))
	}
	return s.current
}

// version returns the revision of the present pod template. It is nil until the controller has made and numbered it.
func (s *Snapshot) version() *Revision {
	if s.Newest != nil {
		return &Revision{ControllerRevision: s.Newest.Name, Number: s.Newest.Revision}
	}
	current := s.Current()
	if current == nil || !s.Observed() || workload.RevisionOf(current) != workload.RevisionOf(s.Workload) {
		return nil
	}
	return &Revision{ReplicaSet: current.Name, Number: workload.RevisionOf(current)}
}

// expect sets the current ReplicaSet to one that was current before at the same generation, if it still exists.
func (s *Snapshot) expect(uid types.UID) {
	for _, rs := range s.ReplicaSets {
		if rs.UID == uid {
			s.current = rs
		}
	}
}

// Counts are the numbers of a workload's pods by version. Ready pods have a Ready condition that is true. NewReady
// counts new pods that have been ready for the workload's own minReadySeconds, and have settled if they crashed before.
type Counts struct {
	New, NewReady int32
	Old, OldReady int32
	Total, Ready  int32
}

// count counts the pods. wake is when the next new pod will have been ready for long enough, or zero if none waits.
func (s *Snapshot) count(current *appsv1.ReplicaSet, minReadySeconds int32, now time.Time) (counts Counts, wake time.Time) {
	return countPods(s.Pods, belongsTo(current), minReadySeconds, now)
}

func countPods(pods []*corev1.Pod, isNew func(*corev1.Pod) bool, minReadySeconds int32, now time.Time) (counts Counts, wake time.Time) {
	for _, pod := range pods {
		ready, _ := workload.ReadySince(pod)
		counts.Total++
		if ready {
			counts.Ready++
		}
		if !isNew(pod) {
			counts.Old++
			if ready {
				counts.OldReady++
			}
			continue
		}
		counts.New++
		switch counted, due := countsAt(pod, minReadySeconds, now); {
		case !ready:
		case counted:
			counts.NewReady++
		default:
			wake = earlier(wake, due)
		}
	}
	return counts, wake
}

// countsAt reports whether a pod counts as available, and when it will. The moment is zero if the pod is not ready. A
// pod that has crashed is often ready for a moment between two crashes, so that it counts only once it has settled. The
// same holds for a pod that may have crashed just now.
func countsAt(pod *corev1.Pod, minReadySeconds int32, now time.Time) (bool, time.Time) {
	available, due := workload.AvailableAt(pod, minReadySeconds, now)
	if due.IsZero() {
		return false, due
	}
	settled := settledAt(pod)
	return available && !settled.After(now), later(due, settled)
}

// oldSize returns how many pods the controller wants of all ReplicaSets except the given one.
func (s *Snapshot) oldSize(current *appsv1.ReplicaSet) int32 {
	var size int32
	for _, rs := range s.ReplicaSets {
		if current == nil || rs.UID != current.UID {
			size += workload.SizeOf(rs)
		}
	}
	return size
}

// Complete reports whether the controller has nothing left to do for the Deployment (DeploymentComplete in its
// deploymentutil), and whether the pods confirm it. The controller adds up what the ReplicaSets reported last, which
// may be from before they were resized.
func (s *Snapshot) Complete() bool {
	status, replicas := s.deployment().Status, workload.ReplicasOf(s.deployment())
	if !s.Observed() || status.UpdatedReplicas != replicas || status.Replicas != replicas || status.AvailableReplicas != replicas {
		return false
	}
	counts, _ := s.count(s.Current(), 0, time.Time{})
	return counts.Ready-counts.OldReady == replicas && counts.Total == replicas
}
