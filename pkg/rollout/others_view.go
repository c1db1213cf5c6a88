package rollout

import "time"

// viewOther adds to a view of a StatefulSet or DaemonSet what its pods do, and tells when to look again.
func (s *session) viewOther(view *View) (*View, time.Time, error) {
	state, record, err := openOther(view.Workload, s.decodeRecord)
	s.memory.patience = s.patience(record)
	sees := view.Blind == nil && !view.Stale
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case state == Open:
		view.State, view.Record, view.Phase = state, record, Standing
		if sees {
			return view, s.viewOpenOther(view), nil
		}
	case sees && view.Phase == Progressing:
		return view, s.judgePods(view, s.source.pods()), nil
	case sees && view.Phase != Unobserved:
		return view, s.believe(view, s.source.pods()), nil
	}
	return view, s.warnSilent(view.Workload), nil
}

// viewOpenOther adds where an open rollout stands.
func (s *session) viewOpenOther(view *View) (until time.Time) {
	record := view.Record
	pods := s.source.pods()
	o := &other{workload: view.Workload, pods: activePods(view.Workload, pods)}
	view.Counts, _ = countPods(o.pods, updatedPod(view.Workload, pods), o.minReadySeconds(), s.Clock.Now())
	if record.Held {
		view.Outcome, view.Message, view.Phase = Paused, "the rollout is held at its step", PhasePaused
		return time.Time{}
	}
	if ObservedGenerationOf(view.Workload) >= view.Workload.GetGeneration() {
		view.Workload = record.Update.ownStrategy(view.Workload)
		until = s.judgePods(view, pods)
		view.Workload = o.workload
	}
	return until
}
