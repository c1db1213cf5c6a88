//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// rolloutAnnotation is where an open rollout keeps its record.
const rolloutAnnotation = "rollout-plus/rollout"

// snapshot is a namespace's one Deployment, its DaemonSets, ReplicaSets and pods at one moment.
type snapshot struct {
	arrived     time.Time
	deployment  *appsv1.Deployment
	daemonSets  map[types.UID]*appsv1.DaemonSet
	replicaSets map[types.UID]*appsv1.ReplicaSet
	pods        map[types.UID]*corev1.Pod
}

func newSnapshot() snapshot {
	return snapshot{
		daemonSets: map[types.UID]*appsv1.DaemonSet{}, replicaSets: map[types.UID]*appsv1.ReplicaSet{}, pods: map[types.UID]*corev1.Pod{},
	}
}

func (m *snapshot) apply(e event) {
	m.arrived = e.arrived
	switch o := e.object.(type) {
	case *appsv1.Deployment:
		if m.deployment = o; e.deleted {
			m.deployment = nil
		}
	case *appsv1.DaemonSet:
		if m.daemonSets[o.UID] = o; e.deleted {
			delete(m.daemonSets, o.UID)
		}
	case *appsv1.ReplicaSet:
		if m.replicaSets[o.UID] = o; e.deleted {
			delete(m.replicaSets, o.UID)
		}
	case *corev1.Pod:
		if m.pods[o.UID] = o; e.deleted {
			delete(m.pods, o.UID)
		}
	}
}

func (m *snapshot) clone() snapshot {
	return snapshot{m.arrived, m.deployment, maps.Clone(m.daemonSets), maps.Clone(m.replicaSets), maps.Clone(m.pods)}
}

func (m *snapshot) deployments() map[types.UID]*appsv1.Deployment {
	if m.deployment == nil {
		return nil
	}
	return map[types.UID]*appsv1.Deployment{m.deployment.UID: m.deployment}
}

// upToDate tells whether what the watches brought is at least as new as a list of that version. What they saw go may
// still be on the list.
func upToDate[T any, P interface {
	*T
	metav1.Object
}](seen map[types.UID]P, gone map[types.UID]bool, listed []T, version string) bool {
	known := map[types.UID]bool{}
	for i := range listed {
		o := P(&listed[i])
		known[o.GetUID()] = true
		if latest, found := seen[o.GetUID()]; !gone[o.GetUID()] && (!found || versionOf(latest) < versionOf(o)) {
			return false
		}
	}
	at, err := strconv.ParseUint(version, 10, 64)
	for uid, o := range seen {
		if err != nil || !known[uid] && versionOf(o) <= at {
			return false
		}
	}
	return true
}

// replicas is how many pods the Deployment is to have.
func (m *snapshot) replicas() int {
	if m.deployment == nil {
		return 0
	}
	return int(*m.deployment.Spec.Replicas)
}

// image is that of the Deployment's present template.
func (m *snapshot) image() string {
	if m.deployment == nil {
		return ""
	}
	return m.deployment.Spec.Template.Spec.Containers[0].Image
}

// size is how many pods the controller wants of an image; "" is all images.
func (m *snapshot) size(image string) int {
	var size int
	for _, rs := range m.replicaSets {
		if image == "" || rs.Spec.Template.Spec.Containers[0].Image == image {
			size += int(*rs.Spec.Replicas)
		}
	}
	return size
}

// total is how many pods of an image there are, counted as the controllers do; "" is all images.
func (m *snapshot) total(image string) int {
	return m.count(image, func(*corev1.Pod) bool { return true })
}

// ready is how many of them are ready.
func (m *snapshot) ready(image string) int { return m.count(image, isReady) }

func (m *snapshot) count(image string, counts func(*corev1.Pod) bool) int {
	var count int
	for _, pod := range m.pods {
		if !isActive(pod) || image != "" && pod.Spec.Containers[0].Image != image {
			continue
		}
		if counts(pod) {
			count++
		}
	}
	return count
}

func isActive(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

func isReady(pod *corev1.Pod) bool { return !readySince(pod).IsZero() }

func readySince(pod *corev1.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return condition.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// step is the number of the step that the Deployment's record names, 0 where no rollout is open.
func (m *snapshot) step() int {
	if m.deployment == nil {
		return 0
	}
	var record struct {
		Step        int
		RollingBack bool
		// Ended is set while the owners of its fields have yet to get them back.
		Ended string
	}
	if err := json.Unmarshal([]byte(m.deployment.Annotations[rolloutAnnotation]), &record); err != nil || record.RollingBack || record.Ended != "" {
		return 0
	}
	return record.Step
}

// complete tells whether all pods are of the Deployment's present template, and ready.
func (m *snapshot) complete() bool {
	d, replicas := m.deployment, m.replicas()
	return d != nil && d.Status.ObservedGeneration >= d.Generation && m.isStable() &&
		m.size(m.image()) == replicas && m.size("") == replicas && m.ready(m.image()) == replicas && m.total("") == replicas &&
		int(d.Status.UpdatedReplicas) == replicas && int(d.Status.AvailableReplicas) == replicas
}

// isStable tells whether the controllers have done what they were to do.
func (m *snapshot) isStable() bool {
	if d := m.deployment; d == nil || d.Status.ObservedGeneration < d.Generation || int(d.Status.Replicas) != m.size("") {
		return false
	}
	var newest bool
	for _, rs := range m.replicaSets {
		if rs.Status.ObservedGeneration < rs.Generation || rs.Status.Replicas != *rs.Spec.Replicas {
			return false
		}
		newest = newest || rs.Spec.Template.Spec.Containers[0].Image == m.image()
	}
	return newest && m.total("") == m.size("")
}

func (m *snapshot) String() string {
	if m.deployment == nil {
		return "no Deployment"
	}
	return fmt.Sprintf("replicas %d, image %s, step %d, sizes %v, %d pods, %d ready, minReadySeconds %d, strategy %s", m.replicas(),
		m.image(), m.step(), m.sizes(), m.total(""), m.ready(""), m.deployment.Spec.MinReadySeconds, m.deployment.Spec.Strategy.String())
}

func (m *snapshot) sizes() map[string]int {
	sizes := map[string]int{}
	for _, rs := range m.replicaSets {
		sizes[rs.Spec.Template.Spec.Containers[0].Image] += int(*rs.Spec.Replicas)
	}
	return sizes
}
