package rollout

import (
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// idleAfter is how long after the last change somebody who drives a rollout would have gone on.
const idleAfter = 15 * time.Second

// idleSince is since when nobody can be driving an open rollout, as its pods tell, zero where somebody may be: who drives
// goes on soon after all pods are ready and the hold is over, and leaves no other trace.
func idleSince(in *diagnose.Input, record *Record) time.Time {
	last, restarted := record.StartedAt.Time, false
	for _, pod := range in.Pods {
		ready, since := readySince(pod)
		if !ready && isActive(pod) {
			return time.Time{}
		}
		last, restarted = later(last, since), restarted || diagnose.Crashes(pod) > 0
	}
	for _, pod := range in.Others {
		if ends := pod.DeletionTimestamp; ends != nil {
			last = later(last, ends.Time)
		}
	}
	if restarted {
		last = last.Add(diagnose.MostSettling)
	}
	wait := time.Duration(record.Wanted().MinReadySeconds)*time.Second + record.Plan.Hold.Duration + idleAfter
	if last = last.Add(wait); in.Now.Before(last) {
		return time.Time{}
	}
	return last
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
