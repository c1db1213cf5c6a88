package rollout

import (
	"fmt"
	"time"
)

// tellAgain is how long the session does not repeat the same counts.
const tellAgain = 10 * time.Second

// report emits what has changed since the last report.
func (s *session) report(snapshot *Snapshot, next action) {
	if s.Emit == nil || s.record == nil { // without a stepwise rollout, the session waits for the native controller
		return
	}
	if s.phase == stepping && s.state == Idle { // somebody has ended the rollout, and how is not known yet
		return
	}
	s.tellObstacle(snapshot)
	g, w := gateOf(snapshot.Workload), snapshot.Workload
	counts, _ := countPods(snapshot.Pods, snapshot.isNew, g.minReadySeconds(w, s.record), s.Clock.Now())
	replicas := g.size(w, s.record)
	event := ProgressEvent{Step: s.record.Step, Of: len(s.record.Plan.Steps), Target: s.record.Target(replicas), Counts: counts}
	if s.phase == ending {
		event.Step, event.Target = 0, replicas
	}
	if isKnown := snapshot.Newest != nil || snapshot.deployment() != nil; isKnown || !snapshot.StaleSince.IsZero() {
		s.progress(&event, snapshot.StaleSince)
	}
	if g.settled(snapshot) {
		_, most := g.counted(snapshot)
		event.Counts.New = min(event.Counts.New, most)
		s.overstep(&event)
	}
	s.hold(&event, next)
}

// tellObstacle emits which pod a StatefulSet waits for, if that has changed.
func (s *session) tellObstacle(snapshot *Snapshot) {
	if snapshot.report == nil || snapshot.obstacle == s.obstacle {
		return
	}
	s.obstacle = snapshot.obstacle
	if s.obstacle != "" && s.outcome != RolledBack {
		s.emit(ProgressEvent{Message: s.obstacle})
	}
}

// progress emits the state of the pods if it has changed.
func (s *session) progress(event *ProgressEvent, staleSince time.Time) {
	if !staleSince.IsZero() {
		event.Message = "no connection to the API server; the rollout stands still until it is back"
	}
	now := s.Clock.Now()
	if *event == s.lastProgress || now.Sub(s.toldAt[*event]) < tellAgain {
		return // pods that come and go change the counts back and forth
	}
	if s.lastProgress = *event; s.toldAt == nil || event.Step != s.toldStep {
		s.toldAt, s.toldStep = map[ProgressEvent]time.Time{}, event.Step
	}
	s.toldAt[*event] = now
	s.emit(*event)
}

// overstep emits once per step that others have made more new pods than the step asks for. The caller checks that the
// controller has settled.
func (s *session) overstep(event *ProgressEvent) {
	over := Overshot(event.Counts, event.Target)
	if over == 0 || s.phase != stepping || event.Message != "" || s.overshot == event.Step {
		return
	}
	s.overshot = event.Step
	told := *event
	told.Message = fmt.Sprintf("step %d/%d: others have overshot the step: %d pods are new where it asks for %d", event.Step, event.Of, over, event.Target)
	s.emit(told)
}

// hold emits once when the hold of a step begins.
func (s *session) hold(event *ProgressEvent, next action) {
	held := s.phase == stepping && !s.memory.heldSince.IsZero()
	if _, waits := next.(await); held && !s.held && waits {
		s.emit(HoldEvent{
			Step: event.Step, Of: event.Of, Target: event.Target, For: (s.record.Plan.Hold.Duration - s.memory.held).Round(time.Second),
			Overshot: Overshot(event.Counts, event.Target),
		})
		s.held = true
	}
	s.held = s.held && held
}

func (s *session) emit(event Event) {
	if s.Emit != nil {
		s.Emit(s.Clock.Now(), event)
	}
}
