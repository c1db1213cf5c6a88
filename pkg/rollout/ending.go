package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// endStep is the step that a memory has after the last step.
const endStep = -1

// end makes the session wait until the controller has completed a pod template.
func (s *session) end(outcome Outcome, template *corev1.PodTemplateSpec) action {
	if s.phase != ending {
		s.awaited.template = template
		s.memory.replaced = nil // the replaced pods belong to the version that the rollout leaves
	}
	s.phase, s.outcome = ending, outcome
	return await{until: s.Clock.Now()}
}

// endBack makes the session wait for the old version, which somebody else may have brought back.
func (s *session) endBack(snapshot *Snapshot) action {
	s.announceReturn(snapshot.Workload)
	template := gateOf(snapshot.Workload).awaits(snapshot.Workload)
	for _, rs := range snapshot.ReplicaSets {
		if s.record != nil && rs.Name == s.record.From.ReplicaSet {
			template = &rs.Spec.Template
		}
	}
	return s.end(RolledBack, template)
}

// isOvertaken reports whether the Deployment has another template than the awaited one. A restart of the awaited template is no
// other template.
func (s *session) isOvertaken(snapshot *Snapshot, state State) bool {
	w := snapshot.Workload
	if s.awaited.template == nil || s.awaited.generation == w.GetGeneration() || state == Open || !snapshot.StaleSince.IsZero() {
		return false
	}
	if !podtemplate.OnlyRestarted(workload.TemplateOf(w), s.awaited.template) {
		return true
	}
	s.awaited.generation = w.GetGeneration()
	return false
}

// overtaken ends the wait for a template that others have replaced. The Deployment gets its own limits back first.
func (s *session) overtaken(snapshot *Snapshot, state State) action {
	if state == RollingBack {
		return finish{outcome: s.outcome}
	}
	writer := s.otherWriter(snapshot.Workload)
	return stop{outcome: Overtaken, message: "the pod template was changed" + writer + " before the awaited one was complete"}
}

// otherWriter returns lastWriter, or "" if that is this session itself, which may have written a moment before.
func (s *session) otherWriter(w workload.Object) string {
	if writer := lastWriter(w); writer != " by "+s.FieldManager {
		return writer
	}
	return ""
}

// decideEnd returns the next action once the controller drives by itself again, towards the new version (Done) or back to the
// old one (RolledBack). It waits until that version is complete.
func decideEnd(s *Snapshot, state State, outcome Outcome, deadline *int32, m memory, now time.Time) (action, memory) {
	m = m.enter(s.StaleSince, endStep, now).sized(workload.ReplicasOf(s.deployment()))
	switch {
	case !s.StaleSince.IsZero():
		return await{}, m
	case state == Open:
		return stop{outcome: Overtaken, message: "another rollout was started before this one had ended"}, m
	case s.deployment().Spec.Paused && s.Observed() && !s.Complete():
		return stop{outcome: Paused, message: "the Deployment is paused, so its pods are not replaced"}, m
	case s.Complete() && state == RollingBack:
		return finish{outcome: RolledBack}, m
	case outcome == Done && s.Observed():
		var next action
		if next, m = m.judge(s, deadline, now); next != nil {
			return next, m
		}
	case outcome == RolledBack && s.Observed() && !s.Complete():
		m = m.after(s.examine(s.Current(), deadline, m, now)) // only to report what holds the old version up
	}
	if s.Complete() {
		return m.completed(s, outcome), m
	}
	return untilDeadline(s, deadline, m, now)
}

// completed ends a rollout whose pods are all as they should be. If the workload had pods but was scaled to 0 before any new
// one was ready, the new version has shown nothing.
func (m memory) completed(s *Snapshot, outcome Outcome) action {
	if workload.ReplicasOf(s.deployment()) == 0 && outcome == Done && m.populated && !m.reached {
		return m.emptied(s.deployment())
	}
	return stop{outcome: outcome, message: ofNothing(s.deployment(), outcome)}
}

// untilDeadline waits for further progress, and fails if there was none for too long.
func untilDeadline(s *Snapshot, deadline *int32, m memory, now time.Time) (action, memory) {
	if s.Observed() {
		m = m.advanced(s.deployment(), now)
	}
	if deadline == nil || *deadline == GateProgressDeadlineSeconds {
		return await{}, m
	}
	due := m.progressAt.Add(time.Duration(*deadline) * time.Second)
	if now.Before(due) {
		return await{until: due}, m
	}
	return stop{outcome: Failed, finding: s.stalled(s.Current(), *deadline)}, m
}

// advanced notes progress. Progress is more of the wanted pods than ever before with so many replicas, or fewer of the other
// pods. Pods that come and go are no progress.
func (m memory) advanced(d *appsv1.Deployment, now time.Time) memory {
	progress := 2*d.Status.AvailableReplicas + 2*d.Status.UpdatedReplicas - d.Status.Replicas
	if of := workload.ReplicasOf(d); m.of == nil || *m.of != of || progress > m.best {
		m.of, m.best, m.progressAt = &of, progress, now
	}
	return m
}

// judge returns a stop if the new version fails. If a container has ended before, it returns a wait that holds success back for
// a while. Otherwise it returns nil.
func (m memory) judge(s *Snapshot, deadline *int32, now time.Time) (action, memory) {
	m, finding := m.failure(s, deadline, now)
	if finding != nil {
		return stop{outcome: Failed, finding: finding}, m
	}
	m, until := m.settling(s, s.Current(), now)
	if s.Complete() && now.Before(until) {
		return await{until: until}, m
	}
	return nil, m
}

// failure returns why the new version fails, or nil if it may still become ready.
func (m memory) failure(s *Snapshot, deadline *int32, now time.Time) (memory, *Finding) {
	if finding := s.collides(); finding != nil {
		return m, finding
	}
	current := s.Current()
	report := s.examine(current, deadline, m, now)
	m, relapse := m.after(report).follow(s.Pods, belongsTo(current), s.podFindings(), now)
	if fatal := report.Fatal(); fatal != nil {
		return m, fatal
	}
	return m, relapse
}

// closed returns the next action for a rollout that somebody else ended, by what is left of the rollout.
func (s *session) closed(snapshot *Snapshot, state State, now time.Time) action {
	g, w, version := gateOf(snapshot.Workload), snapshot.Workload, snapshot.version()
	switch {
	case state == RollingBack:
		return s.endBack(snapshot)
	case state == Disturbed:
		return g.disturbed(w, false, now)
	case version == nil:
		return await{}
	case s.record != nil && version.is(s.record.From):
		return s.endBack(snapshot)
	case s.record != nil && version.Number == s.record.ToRevision && g.borrows(w, s.record):
		return adopt{revision: s.record.ToRevision} // the record comes back, since without it nobody could give back the borrowed fields
	case s.record != nil && version.Number == s.record.ToRevision:
		return s.end(Done, g.awaits(w))
	}
	return stop{outcome: Overtaken, message: "the rollout was ended" + lastWriter(w) + " with another pod template"}
}

// awaitResize waits a moment for the ReplicaSets to catch up before the old version returns. The controller relies on what they
// report as available. It would still count old pods that are already gone, and remove as many new ones for them.
func (s *session) awaitResize(snapshot *Snapshot, next action, now time.Time) action {
	if _, back := next.(goBack); !back || !snapshot.resizing() {
		return next
	}
	if s.backSince.IsZero() {
		s.backSince = now
	}
	if until := s.backSince.Add(resizeTimeout); now.Before(until) {
		return await{until: until}
	}
	return next
}

// deadline returns the workload's own progress deadline in seconds, or nil if it has none.
func (s *session) deadline(snapshot *Snapshot) *int32 {
	if d := snapshot.deployment(); s.record == nil && d != nil {
		return d.Spec.ProgressDeadlineSeconds
	}
	if s.record == nil {
		return nil
	}
	return gateOf(snapshot.Workload).deadline(s.record)
}
