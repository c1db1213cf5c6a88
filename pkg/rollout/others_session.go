package rollout

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// otherSession is one command's work on one StatefulSet or DaemonSet.
type otherSession struct {
	*session
	// latest is the workload as the last write left it, until the watch has delivered it. It is nil otherwise.
	latest Workload
	// newest is the newest revision that the controller made for a generation. numbers maps the names of all revisions
	// to their numbers.
	newest     *appsv1.ControllerRevision
	numbers    map[string]int64
	generation int64
	deleted    map[types.UID]bool
	// obstacle is the last message about a pod that the StatefulSet waits for.
	obstacle string
}

// openOther begins to watch a workload. The caller must close the session's source.
func (e *Engine) openOther(ctx context.Context, workload Workload) (*otherSession, error) {
	s := &otherSession{deleted: map[types.UID]bool{}, session: &session{
		Engine: e, kind: KindOf(workload), uid: workload.GetUID(), decodeRecord: rememberingDecode(),
		key: keyOf(workload), memory: memory{lasting: lasting{began: e.Clock.Now().Truncate(time.Second)}},
	}}
	return s, s.watch(ctx, workload, s.observe)
}

// observe feeds the meter on every change that the watches deliver.
func (s *otherSession) observe() {
	workload := s.source.workload()
	if !s.source.synced() || workload == nil {
		return
	}
	counts, _ := countPods(activePods(workload, s.source.pods()), func(*corev1.Pod) bool { return false }, 0, time.Time{})
	desired := PodCountsOf(workload).Desired
	s.meter.take(desired, counts.Ready, counts.Total, func(limits Limits) (Resolved, error) {
		unavailable, err := limits.unavailableOf(workload)
		return Resolved{Unavailable: min(unavailable, desired)}, err
	})
}

// run is the loop of decisions. It always ends with a result, whatever happens to the workload, the connection or the
// client.
func (s *otherSession) run(ctx context.Context) *Result {
	for {
		if err := context.Cause(ctx); err != nil {
			return s.finished(ctx, s.interrupted(ctx, err))
		}
		if err := s.source.err(); err != nil {
			return s.finished(ctx, s.result(Failed, err.Error()))
		}
		s.tellHeldBack()
		s.heard = s.listen(ctx)
		now, err := s.see(ctx)
		if err != nil {
			if result := s.afterWrite(ctx, err, nil); result != nil {
				return s.finished(ctx, result)
			}
			continue
		}
		if now == nil {
			if s.source.staleSince().IsZero() {
				return s.finished(ctx, s.result(Deleted, "the "+s.kind+" was deleted"))
			}
			if err := s.sleep(ctx, time.Time{}); err != nil {
				return s.finished(ctx, s.interrupted(ctx, err))
			}
			continue
		}
		next := s.decide(now)
		s.report(now, next)
		s.tellWarnings(ctx)
		s.retry(ctx, s.diagnosed)
		if result := s.act(ctx, now, next); result != nil {
			return s.finished(ctx, result)
		}
	}
}

// finished adds the revision that the workload runs to a result. If the rollout stays open, it is left at rest.
func (s *otherSession) finished(ctx context.Context, result *Result) *Result {
	switch result.Outcome {
	case Detached, TimedOut, Failed, Overtaken:
		s.rest(ctx, result.Outcome, result.Finding)
	default:
	}
	if s.newest != nil {
		result.Revision = s.newest.Revision
	}
	return result
}

// see returns the workload at this moment, or nil if it does not exist.
func (s *otherSession) see(ctx context.Context) (*Snapshot, error) {
	stale := s.source.staleSince() // first of all: otherwise stale objects might count as fresh if the connection comes back just now
	workload := s.source.workload()
	if workload == nil || workload.GetUID() != s.uid {
		return nil, nil
	}
	if s.latest != nil {
		if order, err := resourceversion.CompareResourceVersion(workload.GetResourceVersion(), s.latest.GetResourceVersion()); err == nil && order < 0 {
			workload = s.latest
		} else {
			s.latest = nil
		}
	}
	o := new(NewSnapshot(workload, nil, s.source.pods()))
	o.deleted, o.StaleSince, o.Events, o.Deaf = s.deleted, stale, s.heard, s.witness.deaf
	o.Claims, o.NoClaims = s.witness.claims()
	if ObservedGenerationOf(workload) < workload.GetGeneration() || !stale.IsZero() {
		return o, nil
	}
	if s.newest == nil || s.generation != workload.GetGeneration() {
		revisions, err := s.revisionsOf(ctx, workload)
		if err != nil {
			return nil, err
		}
		s.newest, s.numbers, s.generation = newestOf(revisions), numbersOf(revisions), workload.GetGeneration()
	}
	o.Newest, o.numbers = s.newest, s.numbers
	return o, nil
}

// revisionOfTemplate returns the revision of a workload's pod template. Its controller gives this revision the highest
// number, also when an earlier template is used again.
func (e *Engine) revisionOfTemplate(ctx context.Context, workload Workload) (*appsv1.ControllerRevision, error) {
	revisions, err := e.revisionsOf(ctx, workload)
	if err != nil {
		return nil, err
	}
	return newestOf(revisions), nil
}

// revisionsOf returns all revisions of a workload. It returns an error if there is none.
func (e *Engine) revisionsOf(ctx context.Context, workload Workload) ([]*appsv1.ControllerRevision, error) {
	revisions, err := controllerRevisions(ctx, e.Client, workload)
	if err == nil && len(revisions) == 0 {
		err = fmt.Errorf("%s %q in namespace %q has no ControllerRevision, which its controller makes of each pod template",
			kindOf(workload), workload.GetName(), workload.GetNamespace())
	}
	return revisions, err
}

func newestOf(revisions []*appsv1.ControllerRevision) *appsv1.ControllerRevision {
	return slices.MaxFunc(revisions, func(a, b *appsv1.ControllerRevision) int { return int(a.Revision - b.Revision) })
}

func numbersOf(revisions []*appsv1.ControllerRevision) map[string]int64 {
	numbers := make(map[string]int64, len(revisions))
	for _, revision := range revisions {
		numbers[revision.Name] = revision.Revision
	}
	return numbers
}

// decide lets the pure functions choose the next action.
func (s *otherSession) decide(now *Snapshot) action {
	state, record, err := openOther(now.Workload, s.decodeRecord)
	if err != nil {
		return stop{outcome: Failed, message: err.Error()}
	}
	if state != Idle && s.phase != ending {
		s.record = record
	}
	s.state = state
	s.memory.patience, s.memory.retries = s.patience(s.record), !s.cannotRetry
	next := s.choose(now, state)
	s.judged(now)
	if a, waits := next.(await); waits {
		next = await{until: earlierOf(a.until, earlierOf(now.wake(), earlierOf(s.witness.next, s.warnSilent(now.Workload))))}
	}
	return next
}

// judged notes what a decision has found out about the pods.
func (s *otherSession) judged(now *Snapshot) {
	if now.report == nil {
		return
	}
	s.diagnosed = now.report
	s.reported(now.report)
	if text := now.obstacle; text != s.obstacle {
		s.obstacle = text
		if text != "" && s.outcome != RolledBack {
			s.emit(ProgressEvent{Message: text})
		}
	}
}

// choose returns the next action for the session's phase.
func (s *otherSession) choose(now *Snapshot, state State) (next action) {
	astray := s.to != nil && state == RollingBack && s.phase == returning && now.Newest != nil && now.Newest.Name != s.to.ControllerRevision
	if state == RollingBack && s.phase != ending && !astray {
		s.end(RolledBack, nil)
	}
	switch {
	case s.parted != nil:
		next = *s.parted
	case s.altered != nil && s.phase != ending:
		next = goBack{}
	case s.phase == ending:
		next = s.untilTerminated(decideOtherEnd(now, state, s.record, s.outcome, s.diagnose(now), s.Clock.Now()))
	case state == Idle:
		next = s.closed(now)
	case s.phase == returning:
		next = goBack{}
	case s.phase == resuming:
		next = s.takeUp(now)
	default:
		next, s.memory = decide(gateOf(now.Workload), now, s.record, s.memory, s.Clock.Now())
	}
	return next
}

// closed responds to a rollout that somebody else ended. The answer depends on what is left of it.
func (s *otherSession) closed(now *Snapshot) action {
	switch {
	case now.Newest == nil:
		return await{}
	case now.Newest.Name == s.record.From.ControllerRevision:
		return s.end(RolledBack, nil)
	case now.Newest.Revision == s.record.ToRevision && s.record.Update.borrows(now.Workload):
		return adopt{revision: s.record.ToRevision} // the record comes back, since without it nobody could give back the borrowed fields
	case now.Newest.Revision == s.record.ToRevision:
		return s.end(Done, nil)
	}
	return stop{outcome: Overtaken, message: "the rollout was ended" + lastWriter(now.Workload) + " with another pod template"}
}

// takeUp returns the first action of a resumed rollout. A template that others changed becomes the new version, and a
// held rollout is no longer held.
func (s *otherSession) takeUp(now *Snapshot) action {
	if now.Newest == nil && s.state == Open {
		return await{}
	}
	s.phase = stepping
	switch {
	case s.state != Open:
	case now.Newest.Name == s.record.From.ControllerRevision:
		return foreignRevision(now, s.record) // somebody has gone back already
	case s.record.Held || s.record.Rest != nil || now.Newest.Revision != s.record.ToRevision:
		return adopt{revision: now.Newest.Revision}
	}
	return await{until: s.Clock.Now()}
}

// diagnose returns the fatal finding about a version that its controller completes by itself, or nil.
func (s *otherSession) diagnose(now *Snapshot) *Finding {
	if !now.StaleSince.IsZero() || now.Newest == nil {
		return nil
	}
	if finding := revisionCollides(now.Workload, now.Newest); finding != nil {
		return finding
	}
	view := &View{Workload: now.Workload, Phase: Progressing, State: s.state}
	s.memory = now.judgePods(view, s.memory, s.Clock.Now())
	return view.Finding
}

// report emits what has changed since the last report.
func (s *otherSession) report(now *Snapshot, next action) {
	if s.Emit == nil || s.record == nil {
		return
	}
	replicas := stepped(now.Workload, s.record.Update)
	counts, _ := countPods(now.Pods, now.isNew, now.minReadySeconds(), s.Clock.Now())
	event := ProgressEvent{Step: s.record.Step, Of: len(s.record.Plan.Steps), Target: s.record.Target(replicas), Counts: counts}
	if s.phase == ending {
		event.Step, event.Target = 0, replicas
	}
	if now.Newest != nil || !now.StaleSince.IsZero() {
		s.progress(&event, now.StaleSince)
	}
	if counts := PodCountsOf(now.Workload); now.Newest != nil && counts.Total == counts.Desired {
		s.overstep(&event)
	}
	s.hold(&event, next)
}
