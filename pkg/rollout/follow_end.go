package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// BelievedAfter is how long a follower has to see that nobody drives a rollout before it says so. Somebody may have begun to
// resume the rollout a moment before.
const BelievedAfter = 3 * time.Second

// sighting is what a follower sees unchanged, and since when.
type sighting struct {
	what  string
	since time.Time
}

// lasting returns for how long the follower has seen this.
func (s *sighting) lasting(what string, now time.Time) time.Duration {
	if s.what != what {
		s.what, s.since = what, now
	}
	return now.Sub(s.since)
}

// attend adds to the view of an open rollout who looks after it, and returns when to look again. If nobody does, the view says
// for how long that was seen, and the follower's wait ends with that. If the rollout is about to go back, its driver gets
// idleAfter to do so.
func (s *session) attend(view *View, due, now time.Time) time.Time {
	record, text := view.Record, view.Workload.GetAnnotations()[Annotation]
	a := record.attendance(view.Workload, due, now)
	view.Attendance = &a
	goesBack := view.Outcome == Failed && record.Plan.OnFailure != plan.OnFailureHold
	switch {
	case a.Abandoned():
		view.AbandonedFor = s.sighted.lasting(text, now)
		if a.Reason == string(Failed) && !s.memory.began.IsZero() {
			s.memory.began = time.Time{} // the evidence that its driver failed for is older than the command, and still counts
			return now
		}
		return s.sighted.since.Add(BelievedAfter)
	case goesBack && s.sighted.lasting("to go back: "+text, now) < idleAfter:
		view.GoingBack, view.Outcome = true, ""
		return s.sighted.since.Add(idleAfter)
	case !goesBack:
		s.sighted = sighting{}
	}
	return a.Next
}

// supersedes notes the rollout that is followed. It reports whether the open rollout is another one.
func (s *session) supersedes(view *View) bool {
	if s.record != nil && !s.record.StartedAt.Equal(&view.Record.StartedAt) {
		view.overtaken("another rollout has taken its place")
		return true
	}
	s.record = view.Record
	return false
}

func (v *View) overtaken(message string) { v.Outcome, v.Message = Overtaken, message }

// viewEnd adds to the view how the followed rollout has ended, or is about to. It returns when to look again.
func (s *session) viewEnd(view *View, towards Outcome, complete bool) time.Time {
	now := s.Clock.Now()
	switch {
	case towards != RolledBack:
		return time.Time{} // it is finished as any other rollout is
	case !complete:
		view.Phase, view.Returns = workload.PhaseRollingBack, true
		s.sighted = sighting{}
	case view.State == RollingBack:
		view.Phase, view.Returns = workload.PhaseRollingBack, true
		if s.sighted.lasting(view.Workload.GetAnnotations()[Annotation], now) < idleAfter {
			return s.sighted.since.Add(idleAfter)
		}
		view.Outcome, view.Message = Failed, "the old version is complete, and nobody gives back what the rollout has borrowed for its way back"
	default:
		view.Outcome, view.Phase, view.Finding = RolledBack, workload.PhaseRolledBack, s.leftFor
	}
	return time.Time{}
}

// viewEndOfDeployment does what viewEnd does, for the rollout of a Deployment. It first finds out towards which version the
// rollout ended.
func (s *session) viewEndOfDeployment(view *View, snapshot *Snapshot) time.Time {
	current, towards := snapshot.Current(), Done
	switch {
	case view.State == Disturbed:
		view.overtaken("the fields that hold the rollout at its step were changed" + lastWriter(snapshot.deployment()))
		return time.Time{}
	case view.State == RollingBack:
		towards = RolledBack
	case !snapshot.Observed() || current == nil || workload.RevisionOf(current) != workload.RevisionOf(snapshot.deployment()):
		return time.Time{}
	case current.Name == s.record.From.ReplicaSet:
		towards = RolledBack
	case workload.RevisionOf(current) != s.record.ToRevision:
		view.overtaken("the rollout was ended" + lastWriter(snapshot.deployment()) + " with another pod template")
		return time.Time{}
	}
	return s.viewEnd(view, towards, snapshot.Complete())
}

// viewEndOfUpdate does what viewEnd does, for the rollout of a StatefulSet or DaemonSet.
func (s *session) viewEndOfUpdate(ctx context.Context, view *View, pods []*corev1.Pod) time.Time {
	w := view.Workload
	newest, err := s.newestRevision(ctx, w)
	towards := Done
	switch {
	case view.State == Disturbed:
		view.overtaken("the update strategy that holds the rollout at its step was changed" + lastWriter(w))
		return time.Time{}
	case view.State == RollingBack:
		towards = RolledBack
	case err != nil:
		view.overtaken("it has ended, and how is not known: " + err.Error())
		return time.Time{}
	case newest == nil:
		return time.Time{}
	case newest.Name == s.record.From.ControllerRevision:
		towards = RolledBack
	case newest.Revision != s.record.ToRevision:
		view.overtaken("the rollout was ended" + lastWriter(w) + " with another pod template")
		return time.Time{}
	}
	phase := completionOf(w, pods, s.Clock.Now()).phase
	return s.viewEnd(view, towards, phase == workload.Complete || phase == workload.Partitioned || phase == workload.OnDelete)
}

// newestRevision returns the newest revision of a StatefulSet or DaemonSet, or nil if its controller has not made it yet.
func (s *session) newestRevision(ctx context.Context, w workload.Object) (*appsv1.ControllerRevision, error) {
	if workload.ObservedGenerationOf(w) < w.GetGeneration() {
		return nil, nil
	}
	if s.followed.newest == nil || s.followed.generation != w.GetGeneration() {
		newest, err := s.revisionOfTemplate(ctx, w)
		if err != nil {
			return nil, err
		}
		s.followed.newest, s.followed.generation = newest, w.GetGeneration()
	}
	return s.followed.newest, nil
}
