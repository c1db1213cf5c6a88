package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// suspects are the pods of a workload, with what a diagnosis has found about them; nil where there was none.
type suspects struct {
	workload  diagnose.Object
	namespace string
	report    *diagnose.Report
}

func (s *Snapshot) suspects() suspects { return suspectsOf(s.Deployment, s.report) }

func suspectsOf(workload Workload, report *diagnose.Report) suspects {
	return suspects{diagnose.Object{Kind: KindOf(workload), Name: workload.GetName()}, workload.GetNamespace(), report}
}

// restarted is a restart after a pod was ready.
func (s suspects) restarted(pod *corev1.Pod) *Finding {
	f := s.finding(pod, diagnose.RestartedAfterReady, "a container ended after the pod had been ready")
	if status := diagnose.Culprit(pod); status != nil {
		f.BlameContainer(status)
	}
	return f
}

func (s suspects) lostReadiness(pod *corev1.Pod, text string) *Finding {
	f := s.finding(pod, diagnose.ReadinessLost, text)
	if status := diagnose.Unready(pod); status != nil {
		f.BlameContainer(status)
	}
	return f
}

// finding is one about a single pod, with what else is known of it as evidence.
func (s suspects) finding(pod *corev1.Pod, id, text string) *Finding {
	f := diagnose.Known(id, s.workload, s.namespace, text)
	f.BlamePod(pod)
	if s.report == nil {
		return f
	}
	for i := range s.report.Findings {
		if other := &s.report.Findings[i]; other.Pod == pod.Name {
			f.Evidence = append(f.Evidence, other.ID+": "+other.Message)
			f.Evidence = append(f.Evidence, other.Evidence...)
		}
	}
	return f
}

// belongsTo tells which pods are a ReplicaSet's.
func belongsTo(rs *appsv1.ReplicaSet) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return ownedBy(pod, rs) }
}

// settling is until when success is held back, by what the nodes' clocks tell and no longer than from now on where they are
// ahead.
func (m memory) settling(s *Snapshot, current *appsv1.ReplicaSet, now time.Time) (memory, time.Time) {
	var pods []*corev1.Pod
	isNew := belongsTo(current)
	for _, pod := range s.Pods {
		if isNew(pod) {
			pods = append(pods, pod)
		}
	}
	return m.settlingOf(pods, now)
}

func (m memory) settlingOf(pods []*corev1.Pod, now time.Time) (memory, time.Time) {
	until := settled(pods)
	if !until.Equal(m.settled) {
		m.settled, m.settledBy = until, until
		if limit := now.Add(diagnose.MostSettling); until.After(limit) {
			m.settledBy = limit
		}
	}
	return m, m.settledBy
}

// settled is when the new pods that have restarted have run for long enough. It is zero where none has restarted.
func settled(pods []*corev1.Pod) time.Time {
	var last time.Time
	for _, pod := range pods {
		last = later(last, diagnose.SettledAt(pod))
	}
	return last
}
