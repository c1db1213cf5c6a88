package rollout

import (
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// tellAgain is how long the same counts are not told again.
const tellAgain = 10 * time.Second

// report emits what has changed since the last time.
func (s *session) report(snapshot *Snapshot, next action) {
	if s.Emit == nil {
		return
	}
	if s.record == nil { // nothing is stepped: the native controller is waited for
		s.warn(snapshot.report)
		return
	}
	counts, _ := snapshot.count(snapshot.Current(), s.record.Wanted().MinReadySeconds, s.Clock.Now())
	replicas := replicasOf(snapshot.Deployment)
	event := ProgressEvent{Step: s.record.Step, Of: len(s.record.Plan.Steps), Target: s.record.Target(replicas), Counts: counts}
	if s.phase == ending {
		event.Step, event.Target = 0, replicas
	}
	s.progress(&event, snapshot.StaleSince)
	s.warn(snapshot.report)
	s.hold(&event, next)
}

// progress emits what the pods are like where that has changed.
func (s *session) progress(event *ProgressEvent, staleSince time.Time) {
	if !staleSince.IsZero() {
		event.Message = "no connection to the API server; the rollout stands still until it is back"
	}
	now := s.Clock.Now()
	if *event == s.told || now.Sub(s.toldAt[*event]) < tellAgain {
		return // pods that come and go change the counts back and forth
	}
	if s.told = *event; s.toldAt == nil || event.Step != s.toldStep {
		s.toldAt, s.toldStep = map[ProgressEvent]time.Time{}, event.Step
	}
	s.toldAt[*event] = now
	s.emit(*event)
}

// hold emits once that a step is held.
func (s *session) hold(event *ProgressEvent, next action) {
	held := s.phase == stepping && !s.memory.heldSince.IsZero()
	if _, waits := next.(await); held && !s.held && waits {
		s.emit(HoldEvent{Step: event.Step, Of: event.Of, Target: event.Target, For: s.record.Plan.Hold.Duration})
		s.held = true
	}
	s.held = s.held && held
}

func (s *session) emit(event Event) {
	if s.Emit != nil {
		s.Emit(s.Clock.Now(), event)
	}
}

// warn tells once what may stand in the way. Of the way back that is all of it: nothing ends it but its deadline.
func (s *session) warn(report *diagnose.Report) {
	if report == nil || s.Emit == nil {
		return
	}
	back := s.phase == ending && s.outcome == RolledBack
	for i := range report.Findings {
		f := &report.Findings[i]
		key := fmt.Sprintf("%s/%s/%t", f.ID, f.Container, back)
		if f.Severity == diagnose.Fatal && !back || f.Starting() || s.warned[key] {
			continue
		}
		if back {
			told := *f
			told.Severity, told.Grace = diagnose.Warning, nil
			f = &told
		}
		if s.warned == nil {
			s.warned = map[string]bool{}
		}
		s.warned[key] = true
		s.emit(FindingEvent{Finding: f})
	}
}
