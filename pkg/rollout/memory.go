package rollout

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// memory is what one process has seen of the step under way. It is never needed to go on: a process without it starts
// the deadline and the hold anew.
type memory struct {
	step       int
	best       int32
	progressAt time.Time
	gainedAt   time.Time
	heldSince  time.Time
	restarts   map[types.UID]int32
	staleSince time.Time
}

// enter begins a step's memory, and leaves the time during which nothing could be seen out of its account.
func (m memory) enter(s *Snapshot, step int, now time.Time) memory {
	if m.step != step {
		m = memory{step: step, progressAt: now, staleSince: m.staleSince}
	}
	switch {
	case !s.StaleSince.IsZero():
		if m.staleSince.IsZero() {
			m.staleSince = s.StaleSince
		}
	case !m.staleSince.IsZero():
		m.progressAt = m.progressAt.Add(now.Sub(m.staleSince))
		if m.progressAt.After(now) {
			m.progressAt = now
		}
		m.staleSince = time.Time{}
	}
	return m
}

// lost is what a pod did that it must not do during a hold: restart, or lose its readiness.
func (m memory) lost(s *Snapshot) *Finding {
	for _, pod := range s.Pods {
		before, watched := m.restarts[pod.UID]
		if !watched {
			continue
		}
		if restarts(pod) > before {
			finding := &Finding{Reason: "Restarted", Message: "a container restarted after the pod had been ready", Pod: pod.Name, Pods: 1}
			finding.addRestarted(pod)
			return finding
		}
		if ready, _ := readySince(pod); !ready {
			finding := &Finding{Reason: "ReadinessLost", Message: "the pod was ready and is not any more", Pod: pod.Name, Pods: 1}
			finding.addUnready(pod)
			return finding
		}
	}
	return nil
}

func (f *Finding) addRestarted(pod *corev1.Pod) {
	for _, status := range containerStatuses(pod) {
		if status.RestartCount > 0 {
			f.Container = status.Name
			f.addLastRun(&status)
			return
		}
	}
}
