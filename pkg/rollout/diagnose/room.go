package diagnose

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// madeRoom returns until when room for further pods was being made, as far as it is known. Old pods go when new ones are ready.
// While a new pod is coming up, that time is now. The pod's own findings and the deadline bound that.
func (d *diagnosis) madeRoom() time.Time {
	if d.room == nil {
		room := latest(latest(d.lastReady(), d.drained()), d.report.Room)
		if slices.ContainsFunc(d.Others, isLeft) && slices.ContainsFunc(d.Pods, d.comesUp) {
			room = latest(room, d.Now)
		}
		d.room = &room
	}
	return *d.room
}

// holdsRoom reports whether a pod takes up room on a node or in a quota. A pod that is ending still does.
func holdsRoom(pod *corev1.Pod) bool {
	return pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded
}

// roomOf returns the key under which a pod that holds room is recorded.
func roomOf(pod types.UID) Key { return Key{UID: pod, ID: "Room"} }

// isLeft reports whether a pod keeps its room.
func isLeft(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded
}

// comesUp reports whether a pod has a node and is not ready there yet, without a fatal state.
func (d *diagnosis) comesUp(pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" || isWell(pod) || !isLeft(pod) || nodesDoing(pod) != nil {
		return false
	}
	return !slices.ContainsFunc(d.signalsOf(pod), func(s signal) bool {
		cause := d.cause(s.id)
		return !s.onlyWarns(cause) && !d.Now.Before(d.due(&s, cause))
	})
}

// lastReady returns when the last pod of the newest version became ready.
func (d *diagnosis) lastReady() time.Time {
	var last time.Time
	for _, pod := range d.Pods {
		if ready := condition(pod, corev1.PodReady); ready != nil && ready.Status == corev1.ConditionTrue {
			last = latest(last, ready.LastTransitionTime.Time)
		}
	}
	return last
}

// drained returns by when all pods that are ending should have ended. A deletionTimestamp is the end of the grace period. A pod
// that takes longer is waited for until it counts as stuck.
func (d *diagnosis) drained() time.Time {
	var last time.Time
	for _, pods := range [][]*corev1.Pod{d.Pods, d.Others} {
		for _, pod := range pods {
			if pod.DeletionTimestamp != nil {
				last = latest(last, pod.DeletionTimestamp.Time)
				if holdsRoom(pod) && d.Now.Before(pod.DeletionTimestamp.Add(stuckAfter)) {
					last = latest(last, d.Now)
				}
			}
		}
	}
	return last
}

// carry keeps what was seen of pods that still exist. It also records when a pod went away that held room.
func (d *diagnosis) carry() {
	alive := map[types.UID]bool{}
	d.report.Room = d.Room
	for _, pod := range slices.Concat(d.Pods, d.Others) {
		alive[pod.UID] = true
		if holdsRoom(pod) {
			d.report.Seen[roomOf(pod.UID)] = d.Now
		}
	}
	for key, since := range d.Seen {
		switch {
		case key == roomOf(key.UID):
			if _, still := d.report.Seen[key]; !still {
				d.report.Room = d.Now.Truncate(time.Second).Add(time.Second) // events have the same resolution
			}
		case alive[key.UID] || key.UID == "":
			d.report.Seen[key] = since
		}
	}
	for key, runs := range d.Runs {
		if alive[key.UID] {
			if d.report.Runs == nil {
				d.report.Runs = map[Key]int32{}
			}
			d.report.Runs[key] = runs
		}
	}
}
