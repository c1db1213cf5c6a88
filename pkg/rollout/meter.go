package rollout

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Availability is what a rollout did to the service, as measured from the pods' own Ready conditions at every change.
type Availability struct {
	// Lowest is the lowest number of ready pods at any moment, Floor what the limits asked for at that moment.
	Lowest, Floor int32
	// Highest is the highest number of pods that were wanted at any moment, Ceiling what the limits allowed at that moment.
	Highest, Ceiling int32
	// Scaled tells that replicas were changed meanwhile.
	Scaled bool
	// Duration is the time from the first change to the end.
	Duration time.Duration
	// Steps are the times that the steps took.
	Steps []StepTime
}

// StepTime is how long a step took, its hold included.
type StepTime struct {
	Step     int
	Target   int32
	Duration time.Duration
}

// meter measures the availability. Pods are counted at every single event, so that no dip between two decisions is lost.
type meter struct {
	mu       sync.Mutex
	limits   Limits
	measured bool
	replicas int32
	result   Availability
	began    time.Time
	stepAt   time.Time
	// floor and ceiling (negated, so that it too is a lower bound) are what the pods are measured against.
	floor, ceiling bound
}

// bound is a lower bound that follows the limits. When it rises because replicas were changed, the one before holds
// until the pods have reached it for the first time: pods that are only just being made are not missing.
type bound struct {
	set   bool
	value int32
}

func (b *bound) at(wanted int32, reached func(int32) bool) int32 {
	if !b.set || wanted <= b.value || reached(wanted) {
		b.set, b.value = true, wanted
	}
	return b.value
}

func (m *meter) observe(s *Snapshot) {
	if s.Deployment == nil {
		return
	}
	replicas := replicasOf(s.Deployment)
	ready, total := s.readyAndWanted()
	m.take(replicas, ready, total, func(limits Limits) (Resolved, error) { return limits.At(replicas) })
}

// take measures one moment.
func (m *meter) take(replicas, ready, total int32, resolve func(Limits) (Resolved, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limits, err := resolve(m.limits)
	if err != nil {
		return
	}
	if m.measured && m.replicas != replicas {
		m.result.Scaled = true
	}
	floor := m.floor.at(replicas-limits.Unavailable, func(floor int32) bool { return ready >= floor })
	ceiling := -m.ceiling.at(-replicas-limits.Surge, func(ceiling int32) bool { return total <= -ceiling })
	if r := &m.result; !m.measured || ready-floor < r.Lowest-r.Floor {
		r.Lowest, r.Floor = ready, floor
	}
	if r := &m.result; !m.measured || total-ceiling > r.Highest-r.Ceiling {
		r.Highest, r.Ceiling = total, ceiling
	}
	m.measured, m.replicas = true, replicas
}

// readyAndWanted counts the pods that are ready, and those that their ReplicaSets want: the Deployment controller sizes
// one ReplicaSet up as soon as it has sized another down, without waiting for the pods that are to go to be deleted.
func (s *Snapshot) readyAndWanted() (ready, wanted int32) {
	perOwner := make(map[types.UID]int32, len(s.ReplicaSets))
	for _, pod := range s.Pods {
		if isReady, _ := readySince(pod); isReady {
			ready++
		}
		perOwner[metav1.GetControllerOfNoCopy(pod).UID]++
	}
	for _, rs := range s.ReplicaSets {
		wanted += min(perOwner[rs.UID], sizeOf(rs))
	}
	return ready, wanted
}

// begin starts the measurement: what was before does not count.
func (m *meter) begin(limits Limits, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limits, m.measured, m.began, m.stepAt, m.result = limits, false, now, now, Availability{}
	m.floor, m.ceiling = bound{}, bound{}
}

// stepDone notes the time that a step took.
func (m *meter) stepDone(step int, target int32, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.result.Steps = append(m.result.Steps, StepTime{Step: step, Target: target, Duration: now.Sub(m.stepAt)})
	m.stepAt = now
}

// read is the measurement so far, nil where nothing was seen.
func (m *meter) read(now time.Time) *Availability {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.measured || m.began.IsZero() {
		return nil
	}
	result := m.result
	result.Duration = now.Sub(m.began)
	return &result
}
