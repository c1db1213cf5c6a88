package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Finding is the reason why a rollout fails, or may fail: the pod, the container, and what Kubernetes says about them.
type Finding = diagnose.Finding

// examine diagnoses the pods of the newest version, and keeps the report.
func (s *Snapshot) examine(current *appsv1.ReplicaSet, deadline *int32, m memory, now time.Time) *diagnose.Report {
	in := s.input(current, now)
	in.Events, in.Deadline = s.Events, patienceOf(deadline)
	m.recall(in)
	report := diagnose.Diagnose(in)
	s.report = &report
	return &report
}

// patienceOf returns a progress deadline as a duration, or 0 if there is none. The deadline value of a closed gate counts as
// none.
func patienceOf(deadline *int32) time.Duration {
	if deadline == nil || *deadline == GateProgressDeadlineSeconds {
		return 0
	}
	return time.Duration(*deadline) * time.Second
}

// wake returns when the next grace period of the last report ends, or when to look again at the pod that a StatefulSet waits
// for. It returns zero if there is nothing to wait for.
func (s *Snapshot) wake() time.Time {
	if s.report == nil {
		return time.Time{}
	}
	return earlierOf(s.report.Next, s.mends)
}

// podFailure returns what is wrong with a container of a pod, or nil if nothing is or a grace period still runs. In the latter
// case until is when the first grace period ends. The pod's readiness does not count: a pod that was ready may become ready
// again.
func podFailure(pod *corev1.Pod, now time.Time) (failure *Finding, until time.Time) {
	in := &diagnose.Input{Namespace: pod.Namespace, Pods: []*corev1.Pod{pod}, Now: now}
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		in.Workload = diagnose.Object{Kind: owner.Kind, Name: owner.Name}
	}
	report := diagnose.Diagnose(in)
	for i := range report.Findings {
		f := &report.Findings[i]
		switch {
		case f.Container == "" || f.ID == diagnose.ReadinessProbeFailed || f.ID == diagnose.NotReady:
		case f.Severity == diagnose.Fatal:
			return f, time.Time{}
		case f.Grace != nil:
			until = earlier(until, f.Grace.Until)
		}
	}
	return nil, until
}

// stalled returns a finding about a step that made no progress within its deadline. It names the cause as far as that is known.
func (s *Snapshot) stalled(current *appsv1.ReplicaSet, seconds int32) *Finding {
	workload := diagnose.Object{Kind: "Deployment", Name: s.deployment().Name}
	finding := diagnose.Known(diagnose.ProgressDeadlineExceeded, workload, s.deployment().Namespace,
		fmt.Sprintf("no new pod became ready for %d s (progressDeadlineSeconds)", seconds))
	finding.Suit(s.situation(current))
	if !s.Observed() || current == nil {
		finding.Message += ", and the Deployment controller has not acted on the last change"
		return finding
	}
	report := s.report
	if report == nil {
		report = s.examine(current, nil, memory{}, s.deployment().CreationTimestamp.Time)
	}
	blamed := slices.IndexFunc(report.Findings, func(f Finding) bool { return f.ID != diagnose.ContainerRestarted })
	switch {
	case len(report.Findings) == 0:
		s.blameUnready(finding, current)
		return finding
	case blamed < 0:
		blamed = 0
	}
	cause := &report.Findings[blamed]
	finding.Message += "; " + strings.TrimSuffix(cause.ID+": "+cause.Message, ": ")
	finding.Blame(cause)
	return finding
}

// blameUnready adds an unready pod to the finding, for a step whose pods have no other problem. It also counts the unready
// pods.
func (s *Snapshot) blameUnready(finding *Finding, current *appsv1.ReplicaSet) {
	unready := 0
	for _, pod := range s.Pods {
		if ready, _ := workload.ReadySince(pod); ready || !workload.OwnedBy(pod, current) {
			continue
		}
		if unready++; unready > 1 {
			continue
		}
		finding.BlamePod(pod)
		for _, status := range diagnose.ContainerStatuses(pod) {
			if waiting := status.State.Waiting; waiting != nil && waiting.Reason != "" {
				finding.Message += "; the container waits: " + waiting.Reason
				finding.BlameContainer(&status)
				break
			}
		}
	}
	finding.Pods = unready
}
