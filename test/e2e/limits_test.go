//go:build e2e

package e2e

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// keeps expects that at no moment on record there were more pods than replicas and surge, nor fewer ready ones than
// replicas less unavailable. While replicas change, the limits of either number hold until the pods have followed.
//
// A pod that its ReplicaSet does not want any more does not count as extra: the Deployment controller raises one
// ReplicaSet when it has lowered another, and does not wait for that one's pods to be deleted.
func (w *web) keeps(surge, unavailable string) {
	w.Helper()
	w.keepsBut(0, surge, unavailable)
}

// keepsBut is keeps where some more ready pods may be missing.
func (w *web) keepsBut(missing int, surge, unavailable string) {
	w.Helper()
	low, high, checked, broken := 0, 0, 0, false
	w.replay(func(_, m *snapshot) {
		if m.deployment == nil || versionOf(m.deployment) < w.since {
			return
		}
		checked++
		now, ready, total := m.replicas(), m.ready(""), m.total("")
		if low == 0 && high == 0 {
			low, high = now, now
		}
		low, high = min(low, now), max(high, now)
		if ready >= now-resolve(unavailable, now, false) {
			low = now
		}
		if total <= now+resolve(surge, now, true) {
			high = now
		}
		floor, ceiling := low-resolve(unavailable, low, false), high+resolve(surge, high, true)
		switch size := m.size(""); {
		case broken: // the first moment tells enough
		case ready < floor-missing:
			broken = true
			w.Errorf("only %d pods ready, at least %d wanted: %s", ready, floor-missing, m)
		case total-m.unwanted() > ceiling:
			broken = true
			w.Errorf("%d pods, at most %d wanted: %s", total, ceiling, m)
		case size > ceiling:
			broken = true
			w.Errorf("the controller wants %d pods, at most %d allowed: %s", size, ceiling, m)
		}
	})
	if checked == 0 {
		w.Error("nothing is on record")
	}
}

// unwanted is how many pods there are that their ReplicaSets do not want any more.
func (m *snapshot) unwanted() int {
	counts := map[types.UID]int{}
	for _, pod := range m.pods {
		if isActive(pod) {
			counts[metav1.GetControllerOf(pod).UID]++
		}
	}
	var unwanted int
	for uid, rs := range m.replicaSets {
		unwanted += max(counts[uid]-int(*rs.Spec.Replicas), 0)
	}
	return unwanted
}

// resolve is a limit as a number of pods, by the documentation of a Deployment's strategy: maxSurge rounds up,
// maxUnavailable down.
func resolve(limit string, replicas int, up bool) int {
	digits, isPercent := strings.CutSuffix(limit, "%")
	value, err := strconv.Atoi(digits)
	switch {
	case err != nil:
		panic(err)
	case !isPercent:
		return value
	case up:
		return (value*replicas + 99) / 100
	}
	return value * replicas / 100
}
