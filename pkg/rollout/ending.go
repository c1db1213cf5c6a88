package rollout

import "time"

// endStep stands in memory for the time after the last step.
const endStep = -1

// decideEnd says what to do once the controller drives by itself again, towards the new version (Done) or back to the
// old one (RolledBack): wait until it is complete.
func decideEnd(s *Snapshot, state State, outcome Outcome, deadline *int32, m memory, now time.Time) (action, memory) {
	m = m.enter(s, endStep, now)
	switch {
	case !s.StaleSince.IsZero():
		return await{}, m
	case state == Open:
		return stop{outcome: Overtaken, message: "another rollout was started before this one had ended"}, m
	case s.Deployment.Spec.Paused && s.Observed() && !s.Complete():
		return stop{outcome: Paused, message: "the Deployment is paused, so its pods are not replaced"}, m
	case s.Complete() && state == RollingBack:
		return finish{outcome: RolledBack}, m
	case outcome == Done && s.Observed():
		var next action
		if next, m = m.judge(s, deadline, now); next != nil {
			return next, m
		}
	case outcome == RolledBack && s.Observed() && !s.Complete():
		m = m.after(s.examine(s.Current(), deadline, m, now)) // only to tell what holds it up
	}
	if s.Complete() {
		return stop{outcome: outcome}, m
	}
	return untilDeadline(s, deadline, m, now)
}

// untilDeadline waits for further progress, and fails where there was none for too long.
func untilDeadline(s *Snapshot, deadline *int32, m memory, now time.Time) (action, memory) {
	// Both more of the wanted pods and fewer of the others are progress.
	status := s.Deployment.Status
	if progress := 2*status.AvailableReplicas + 2*status.UpdatedReplicas - status.Replicas; progress != m.best {
		m.best, m.progressAt = progress, now
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

// judge ends what does not come good, and holds success back for a while where a container has ended before; it is nil
// where there is nothing of the sort.
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

// failure is why the new version does not come good, nil where it may.
func (m memory) failure(s *Snapshot, deadline *int32, now time.Time) (memory, *Finding) {
	current := s.Current()
	report := s.examine(current, deadline, m, now)
	m, relapse := m.after(report).follow(s.Pods, belongsTo(current), s.suspects())
	if fatal := report.Fatal(); fatal != nil {
		return m, fatal
	}
	return m, relapse
}
