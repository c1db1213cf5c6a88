package rollout

// alert lets a wait end when a grace does, or when there is something to ask.
func (s *session) alert(snapshot *Snapshot, next action) action {
	a, waits := next.(await)
	if !waits {
		return next
	}
	a.until = earlierOf(a.until, earlierOf(snapshot.wake(), s.warnSilent(snapshot.Deployment)))
	s.witness.expect(snapshot.report)
	if !s.witness.next.IsZero() {
		a.until = earlier(a.until, s.witness.next)
	}
	return a
}
