package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// podFindings are the pods of a workload with the findings of a diagnosis about them. report is nil if there was no
// diagnosis.
type podFindings struct {
	workload  diagnose.Object
	namespace string
	report    *diagnose.Report
}

func (s *Snapshot) podFindings() podFindings { return podFindingsOf(s.deployment(), s.report) }

func podFindingsOf(w workload.Object, report *diagnose.Report) podFindings {
	return podFindings{diagnose.Object{Kind: workload.KindOf(w), Name: w.GetName()}, w.GetNamespace(), report}
}

// restarted returns the finding about a container that ended after its pod had been ready.
func (s podFindings) restarted(pod *corev1.Pod) *Finding {
	f := s.finding(pod, diagnose.RestartedAfterReady, "a container ended after the pod had been ready")
	if status := diagnose.Culprit(pod); status != nil {
		f.BlameContainer(status)
	}
	return f
}

func (s podFindings) lostReadiness(pod *corev1.Pod, text string) *Finding {
	f := s.finding(pod, diagnose.ReadinessLost, text)
	if status := diagnose.Unready(pod); status != nil {
		f.BlameContainer(status)
	}
	return f
}

// finding returns a finding about a single pod. The diagnosis's other findings about the pod become its evidence.
func (s podFindings) finding(pod *corev1.Pod, id, text string) *Finding {
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

// belongsTo returns a function that reports whether a ReplicaSet controls a pod.
func belongsTo(rs *appsv1.ReplicaSet) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return workload.OwnedBy(pod, rs) }
}

// settling returns until when to hold success back. The time comes from the nodes' clocks. Where these are ahead, it is
// no longer than MostSettling from now.
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
	if !until.Equal(m.stableAt) {
		m.stableAt, m.stableBy = until, until
		if limit := now.Add(diagnose.MostSettling); until.After(limit) {
			m.stableBy = limit
		}
	}
	return m, m.stableBy
}

// settledAt returns when a ready pod can be trusted. A pod that has crashed is often ready for a moment between two crashes. One
// of its containers may also have ended just now, unseen as yet. The result is zero if nothing casts doubt on the pod.
func settledAt(pod *corev1.Pod) time.Time {
	return later(diagnose.SettledAt(pod), diagnose.SeenAt(pod))
}

// settled returns when all new pods can be trusted, or zero if nothing casts doubt on them.
func settled(pods []*corev1.Pod) time.Time {
	var last time.Time
	for _, pod := range pods {
		last = later(last, settledAt(pod))
	}
	return last
}
