package rollout

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// warnAgain is the time after which a warning with a time limit is repeated, with the time that is left.
const warnAgain = 10 * time.Second

// warn collects the warnings that are due. A warning with a time limit comes again from time to time. On the way back,
// fatal findings are warnings as well: nothing but the deadline ends the way back.
func (s *session) warn(report *diagnose.Report) {
	s.warnNext, s.hindrance = time.Time{}, nil
	if report == nil || s.Emit == nil {
		return
	}
	back, now := s.phase == ending && s.outcome == RolledBack, s.Clock.Now()
	for i := range report.Findings {
		f := report.Findings[i]
		if isSilent(&f, back) {
			continue
		}
		if back {
			f.Severity, f.Grace = diagnose.Warning, nil
		}
		if s.hindrance == nil {
			s.hindrance = &f
		}
		last, told := s.toldBefore(&f, back)
		if due := last.Add(warnAgain); told && (f.Grace == nil || now.Before(due)) {
			if f.Grace != nil {
				s.warnNext = earlier(s.warnNext, due)
			}
			continue
		}
		s.noteWarned(&f, back, now)
		if f.Grace != nil {
			s.warnNext = earlier(s.warnNext, now.Add(warnAgain))
		}
		s.warnings = append(s.warnings, FindingEvent{Finding: &f, Again: told})
	}
}

// warningKeys returns the keys that identify a warning. A warning about silent nodes has a key for each node.
func warningKeys(f *diagnose.Finding, back bool) []string {
	key := fmt.Sprintf("%s/%s/%t", f.ID, f.Container, back)
	if len(f.Nodes) == 0 {
		return []string{key}
	}
	keys := make([]string, len(f.Nodes))
	for i, node := range f.Nodes {
		keys[i] = key + "/" + node
	}
	return keys
}

// toldBefore returns when a warning was emitted last, and whether that was so for all of its keys.
func (s *session) toldBefore(f *diagnose.Finding, back bool) (last time.Time, told bool) {
	for _, key := range warningKeys(f, back) {
		at, is := s.warned[key]
		if !is {
			return time.Time{}, false
		}
		last = later(last, at)
	}
	return last, true
}

func (s *session) noteWarned(f *diagnose.Finding, back bool, now time.Time) {
	if s.warned == nil {
		s.warned = map[string]time.Time{}
	}
	for _, key := range warningKeys(f, back) {
		s.warned[key] = now
	}
}

// tellWarnings emits the warnings that are due, with the last log lines of a container that has ended.
func (s *session) tellWarnings(ctx context.Context) {
	for _, event := range s.warnings {
		if f := event.Finding; f.ExitCode != nil && !event.Again {
			if err := s.addLogs(ctx, s.key.Namespace, f, s.LogLines); err != nil {
				f.Evidence = append(slices.Clone(f.Evidence), "the container's log is not seen: "+err.Error())
			}
		}
		s.emit(event)
	}
	s.warnings = nil
}

// isSilent reports whether a finding is no warning. Fatal findings end the rollout, except on the way back. Other
// silent findings only describe what every pod goes through as it starts.
func isSilent(f *diagnose.Finding, back bool) bool {
	return f.Severity == diagnose.Fatal && !back || f.Starting() && !f.Slow()
}
