package rollout

import "time"

// viewOther adds to a view of a StatefulSet or DaemonSet where its open rollout stands, and tells whether one is open.
func (s *session) viewOther(view *View) (open bool, until time.Time, err error) {
	state, record, err := openOther(view.Workload, s.decodeRecord)
	if err != nil || state != Open {
		return false, time.Time{}, err
	}
	view.State, view.Record, view.Phase = state, record, Standing
	if view.Blind != nil || view.Stale {
		return true, time.Time{}, nil
	}
	pods := s.source.pods()
	o := &other{workload: view.Workload, pods: activePods(view.Workload, pods)}
	view.Counts, _ = countPods(o.pods, updatedPod(view.Workload, pods), o.minReadySeconds(), s.Clock.Now())
	if record.Held {
		view.Outcome, view.Message, view.Phase = Paused, "the rollout is held at its step", PhasePaused
		return true, time.Time{}, nil
	}
	if ObservedGenerationOf(view.Workload) >= view.Workload.GetGeneration() {
		view.Workload = record.Update.ownStrategy(view.Workload)
		until = s.judgePods(view, pods)
		view.Workload = o.workload
	}
	return true, until, nil
}
