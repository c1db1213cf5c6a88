package rollout

import (
	"cmp"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Availability is what a rollout did to the service. It is measured from the pods' own Ready conditions at every
// change.
type Availability struct {
	// Lowest is the number of ready pods, and Floor what the limits asked for, at the moment that came closest to the
	// limits or fell furthest below. Of moments that came equally close it is the one with fewer ready pods.
	Lowest, Floor int32
	// Highest is the number of wanted pods, and Ceiling what the limits allowed, at the moment that came closest to the
	// limits or rose furthest above. Of moments that came equally close it is the one with more pods.
	Highest, Ceiling int32
	// Scaled is set if replicas changed meanwhile.
	Scaled bool
	// Duration is the time from the first change to the end.
	Duration time.Duration
	// Steps hold how long each step took.
	Steps []StepTime
}

// StepTime is how long a step took, including its hold.
type StepTime struct {
	Step     int
	Target   int32
	Duration time.Duration
}

// meter measures the availability. It counts pods at every single event, so that no dip between two decisions is lost.
type meter struct {
	mu       sync.Mutex
	limits   plan.Limits
	measured bool
	replicas int32
	result   Availability
	began    time.Time
	stepAt   time.Time
	// floor and ceiling are the bounds that the pods are measured against. ceiling is negated, so that it too is a
	// lower bound.
	floor, ceiling bound
}

// bound is a lower bound that follows the limits. When it rises because replicas were changed, the value before holds
// until the pods have reached the new one for the first time. Pods that are only just being made are not missing.
type bound struct {
	set   bool
	value int32
}

// at moves the bound to the wanted value if it may, and returns the bound in force.
func (b *bound) at(wanted int32, reached func(int32) bool) int32 {
	if !b.set || wanted <= b.value || reached(wanted) {
		b.set, b.value = true, wanted
	}
	return b.value
}

func (m *meter) observe(s *Snapshot) {
	if s.Workload == nil {
		return
	}
	replicas := workload.PodCountsOf(s.Workload).Desired
	ready, total := s.readyAndWanted()
	m.take(replicas, ready, total, func(limits plan.Limits) (plan.Resolved, error) {
		resolved, err := gateOf(s.Workload).limits(s.Workload, limits)
		resolved.Unavailable = min(resolved.Unavailable, replicas)
		return resolved, err
	})
}

// take measures one moment.
func (m *meter) take(replicas, ready, total int32, resolve func(plan.Limits) (plan.Resolved, error)) {
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
	if r := &m.result; !m.measured || cmp.Or(cmp.Compare(ready-floor, r.Lowest-r.Floor), cmp.Compare(ready, r.Lowest)) < 0 {
		r.Lowest, r.Floor = ready, floor
	}
	if r := &m.result; !m.measured || cmp.Or(cmp.Compare(total-ceiling, r.Highest-r.Ceiling), cmp.Compare(total, r.Highest)) > 0 {
		r.Highest, r.Ceiling = total, ceiling
	}
	m.measured, m.replicas = true, replicas
}

// readyAndWanted counts the pods that are ready, and those that are wanted: of a Deployment those that its ReplicaSets want. The Deployment controller
// scales one ReplicaSet up as soon as it has scaled another down. It does not wait until the surplus pods are deleted.
func (s *Snapshot) readyAndWanted() (ready, wanted int32) {
	if len(s.ReplicaSets) == 0 {
		counts, _ := countPods(s.Pods, s.isNew, 0, time.Time{})
		return counts.Ready, counts.Total
	}
	perOwner := make(map[types.UID]int32, len(s.ReplicaSets))
	for _, pod := range s.Pods {
		if isReady, _ := workload.ReadySince(pod); isReady {
			ready++
		}
		perOwner[metav1.GetControllerOfNoCopy(pod).UID]++
	}
	for _, rs := range s.ReplicaSets {
		wanted += min(perOwner[rs.UID], workload.SizeOf(rs))
	}
	return ready, wanted
}

// begin starts the measurement anew. Nothing from before counts.
func (m *meter) begin(limits plan.Limits, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limits, m.measured, m.began, m.stepAt, m.result = limits, false, now, now, Availability{}
	m.floor, m.ceiling = bound{}, bound{}
}

// stepDone records how long a step took.
func (m *meter) stepDone(step int, target int32, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.result.Steps = append(m.result.Steps, StepTime{Step: step, Target: target, Duration: now.Sub(m.stepAt)})
	m.stepAt = now
}

// read returns the measurement so far, or nil if nothing was measured.
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
