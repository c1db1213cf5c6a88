package rollout

import (
	"context"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// recall adds the known ControllerRevisions to a snapshot that is no older than they are.
func (s *session) recall(snapshot *Snapshot) {
	if snapshot.Observed() && snapshot.StaleSince.IsZero() {
		snapshot.Newest, snapshot.numbers = s.known.newest, s.known.numbers
	}
}

// see returns the snapshot to decide by. It reads the ControllerRevisions once for each template.
func (s *session) see(ctx context.Context) (*Snapshot, error) {
	events := s.listen(ctx) // reading events takes time, so the session decides by a snapshot that it takes after that
	snapshot := s.snapshot()
	snapshot.Events = events
	w := snapshot.Workload
	if w == nil || w.GetUID() != s.uid || snapshot.deployment() != nil || snapshot.Newest != nil || !snapshot.Observed() || !snapshot.StaleSince.IsZero() {
		return &snapshot, nil
	}
	if err := s.readRevisions(ctx, w); err != nil {
		return nil, err
	}
	s.recall(&snapshot)
	return &snapshot, nil
}

// readRevisions reads the ControllerRevisions of a workload.
func (s *session) readRevisions(ctx context.Context, w workload.Object) error {
	revisions, err := s.revisionsOf(ctx, w)
	if err == nil {
		s.known.newest, s.known.numbers, s.known.generation = newestOf(revisions), numbersOf(revisions), w.GetGeneration()
	}
	return err
}

// run is the session's loop. It ends with a result, whatever happens to the workload, the connection or the client.
func (s *session) run(ctx context.Context) *Result {
	for {
		if err := context.Cause(ctx); err != nil {
			return s.interrupted(ctx, err)
		}
		if err := s.source.Err(); err != nil {
			return s.failed(ctx, err.Error())
		}
		s.tellHeldBack()
		snapshot, err := s.see(ctx)
		if err != nil {
			if result := s.afterWrite(ctx, err, nil); result != nil {
				return result
			}
			continue
		}
		if snapshot.Workload == nil || snapshot.Workload.GetUID() != s.uid {
			if snapshot.StaleSince.IsZero() {
				return s.result(Deleted, "the "+s.kind+" was deleted")
			}
			if err := s.sleep(ctx, time.Time{}); err != nil {
				return s.interrupted(ctx, err)
			}
			continue
		}
		next, err := s.decide(snapshot)
		if err != nil {
			return s.failed(ctx, err.Error())
		}
		if !snapshot.StaleSince.IsZero() {
			s.refusals = refusals{} // without a connection, refusals have another cause
		}
		s.report(snapshot, next)
		s.tellWarnings(ctx)
		s.retry(ctx, snapshot.report)
		if result := s.act(ctx, snapshot, next); result != nil {
			return result
		}
	}
}

// decide returns the next action, which pure functions choose.
func (s *session) decide(snapshot *Snapshot) (action, error) {
	state, record, err := s.openIn(snapshot)
	if err != nil {
		return nil, err
	}
	// While a rollout ends, the record of another one is none of this session's.
	if record != nil && (s.phase != ending || s.record == nil || s.record.StartedAt.Equal(&record.StartedAt)) {
		s.record = record
	}
	s.state = state
	s.memory.patience, s.memory.retries = s.patience(s.record), !s.cannotRetry
	now := s.Clock.Now()
	next := s.awaitResize(snapshot, s.choose(snapshot, state, now), now)
	s.warn(snapshot.report)
	return s.alert(snapshot, next), nil
}

// choose returns the next action by the session's phase.
func (s *session) choose(snapshot *Snapshot, state State, now time.Time) (next action) {
	g := gateOf(snapshot.Workload)
	switch {
	case s.parted != nil:
		next = *s.parted
	case s.altered != nil && s.phase != ending && (state != Idle || g.holds(snapshot.Workload, s.record)):
		next = goBack{}
	case s.phase == resuming:
		next = s.takeUp(snapshot, now)
	case s.phase == ending && s.isOvertaken(snapshot, state):
		next = s.overtaken(snapshot, state)
	case s.phase == ending:
		next, s.memory = g.end(snapshot, goal{state: state, record: s.record, outcome: s.outcome, now: now}, s.memory)
		next = s.untilTerminated(next)
	default:
		next = s.drive(g, snapshot, state, now)
	}
	return next
}

// drive returns the next action of a session that drives a rollout on or back.
func (s *session) drive(g gate, snapshot *Snapshot, state State, now time.Time) (next action) {
	switch {
	case state == RollingBack && (s.phase != returning || s.to == nil || g.runs(snapshot, s.to)):
		next = s.endBack(snapshot)
	case s.phase == returning && state != Idle:
		next = goBack{finding: s.finding}
	case state == Open, state == Disturbed && g.reclaims():
		next, s.memory = decide(g, snapshot, s.record, s.memory, now)
	default:
		next = s.closed(snapshot, state, now)
	}
	return next
}
