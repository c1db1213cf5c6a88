package rollout

// alert shortens a wait: it also ends with the next grace period, when a silent controller is to be reported, or when events
// are to be read.
func (s *session) alert(snapshot *Snapshot, next action) action {
	a, waits := next.(await)
	if !waits {
		return next
	}
	a.until = earlierOf(a.until, earlierOf(snapshot.wake(), s.warnSilent(snapshot.Workload)))
	s.eventReader.expect(snapshot.report)
	if !s.eventReader.next.IsZero() {
		a.until = earlier(a.until, s.eventReader.next)
	}
	return a
}
