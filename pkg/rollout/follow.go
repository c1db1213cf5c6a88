package rollout

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// View is what a command that only watches sees at one moment.
type View struct {
	Snapshot Snapshot
	State    State
	// Record and Counts are set while a rollout is open.
	Record *Record
	Counts Counts
	// Finding is why the open rollout does not come good, Message why it is not going on; both are empty while it may.
	Finding *Finding
	Message string
	// Outcome is set together with either of them.
	Outcome Outcome
}

// Follow calls see with every change of a Deployment, without ever writing, until it says that it has seen enough. It
// judges an open rollout as the engine that drives it does.
func (e *Engine) Follow(ctx context.Context, key types.NamespacedName, see func(*View) (bool, error)) error {
	s, err := e.open(ctx, key)
	if err != nil {
		return err
	}
	defer s.source.close()
	for {
		if err := s.source.err(); err != nil {
			return err
		}
		snapshot := s.snapshot()
		if d := snapshot.Deployment; snapshot.StaleSince.IsZero() && (d == nil || d.UID != s.uid) {
			return errors.New("object has been deleted")
		}
		var until time.Time
		if snapshot.Deployment != nil {
			view, next, err := s.view(&snapshot)
			if err != nil {
				return err
			}
			if enough, err := see(view); enough || err != nil {
				return err
			}
			until = next
		}
		if err := s.sleep(ctx, until); err != nil {
			return err
		}
	}
}

func (s *session) view(snapshot *Snapshot) (*View, time.Time, error) {
	state, record, err := OpenRollout(snapshot.Deployment, snapshot.ReplicaSets)
	if err != nil {
		return nil, time.Time{}, err
	}
	view := &View{Snapshot: *snapshot, State: state, Record: record}
	if state != Open {
		return view, time.Time{}, nil
	}
	now := s.Clock.Now()
	view.Counts, _ = snapshot.count(snapshot.Current(), record.Wanted().MinReadySeconds, now)
	var next action
	next, s.memory = decideStep(snapshot, record, s.memory, now)
	switch a := next.(type) {
	case await:
		return view, a.until, nil
	case goBack:
		view.Finding, view.Outcome = a.finding, Failed
	case stop:
		view.Finding, view.Outcome, view.Message = a.finding, a.outcome, a.message
	}
	return view, time.Time{}, nil
}

// Logs adds the last lines of the failed container's log to a finding, where they can be read.
func (e *Engine) Logs(ctx context.Context, namespace string, finding *Finding) {
	s := &session{Engine: e, key: types.NamespacedName{Namespace: namespace}}
	finding.Logs = s.logs(ctx, finding)
}

// Await waits until the Deployment controller has completed a Deployment that no rollout is open on, or until it is
// clear that it will not.
func (e *Engine) Await(ctx context.Context, key types.NamespacedName) (*Result, error) {
	s, err := e.open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer s.source.close()
	s.phase, s.outcome = ending, Done
	return s.run(ctx), nil
}
