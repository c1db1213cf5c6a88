package rollout

import (
	"context"
	"errors"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ErrDeleted reports that a followed workload is gone.
var ErrDeleted = errors.New("object has been deleted")

// Follow calls see with every change of a workload until see returns true or an error. It never writes. It judges an open
// rollout as the engine that drives it does, and emits findings that are only warnings so far. workload is the workload as it
// was last seen. If template is not nil, the outcome is Overtaken once somebody sets another template.
func (e *Engine) Follow(ctx context.Context, w workload.Object, template *corev1.PodTemplateSpec, see func(*View) (bool, error)) error {
	s := &session{
		Engine: e, kind: workload.KindOf(w), key: workload.KeyOf(w),
		uid: w.GetUID(), decodeRecord: rememberingDecode(), memory: memory{lasting: lasting{began: e.began(e.Wrote)}},
	}
	s.awaited.template, s.memory = template, s.memory.sized(workload.PodCountsOf(w).Desired)
	var err error
	if s.source, err = newSource(e.Client, e.Clock, w, nil); err != nil {
		return err
	}
	s.source.Lenient()
	s.source.Start(ctx)
	defer s.source.Close()
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := s.source.Err(); err != nil {
			return err
		}
		s.tellHeldBack()
		s.podEvents = s.listen(ctx)
		view, until, err := s.look(ctx, w.GetResourceVersion())
		s.tellWarnings(ctx)
		if err != nil {
			return err
		}
		if view != nil {
			view.Hindrance = s.hindrance
			if view.Blind == nil {
				pods := s.terminating()
				view.Terminating, view.Ending = int32(len(pods)), terminatingText(pods, s.Clock.Now()) //nolint:gosec // pods of one workload
			}
			if view.Finding != nil && view.Finding != s.leftFor {
				view.Finding = s.enriched(ctx, view.Finding)
			}
			if view.GoingBack {
				s.leftFor = view.Finding
			}
			if enough, err := see(view); enough || err != nil {
				return err
			}
		}
		if !s.eventReader.next.IsZero() {
			until = earlier(until, s.eventReader.next)
		}
		if err := s.sleep(ctx, until); err != nil {
			return err
		}
	}
}

// reported schedules the reading of events that a report waits for, and notes what may yet stand in the way as warnings.
func (s *session) reported(report *diagnose.Report) {
	s.eventReader.expect(report)
	s.warn(report)
}

// enriched returns a finding with all that can be read about it. It reads that only once per finding.
func (s *session) enriched(ctx context.Context, finding *Finding) *Finding {
	if s.rawFinding == nil || s.rawFinding.ID != finding.ID || s.rawFinding.Pod != finding.Pod {
		s.rawFinding, s.finding = finding, s.enrich(ctx, finding)
	}
	return s.finding
}

// look returns what is to be seen now, and when to look again. The view is nil if there is nothing to see yet, or only what is
// older than the version that is already known.
func (s *session) look(ctx context.Context, known string) (*View, time.Time, error) {
	if !s.source.Synced() {
		return nil, time.Time{}, nil
	}
	connected := s.source.StaleSince().IsZero()
	w := s.source.workload()
	switch {
	case w != nil && w.GetUID() == s.uid:
		if order, err := resourceversion.CompareResourceVersion(w.GetResourceVersion(), known); err == nil && order < 0 {
			return nil, time.Time{}, nil
		}
	case connected:
		return nil, time.Time{}, ErrDeleted
	default:
		return nil, time.Time{}, nil
	}
	s.memory = s.memory.sized(workload.PodCountsOf(w).Desired)
	view := Glance(w)
	view.Blind, view.Stale = s.source.Missing(), !connected
	if awaited := s.awaited.template; awaited != nil && !podtemplate.OnlyRestarted(workload.TemplateOf(w), awaited) {
		view.Outcome, view.Message = Overtaken, "the pod template was changed"+s.otherWriter(w)+" before the awaited one was complete"
		return view, time.Time{}, nil
	}
	if _, isDeployment := w.(*appsv1.Deployment); isDeployment {
		return s.viewDeployment(view)
	}
	return s.viewUpdate(ctx, view)
}

// believe adds to the view of a complete StatefulSet or DaemonSet whether success has yet to be believed. It returns when it
// can be, or zero if it can be now.
func (s *session) believe(v *View, pods []*corev1.Pod) time.Time {
	var until time.Time
	in := inputOfUpdate(v.Workload, pods, s.Clock.Now())
	s.relapsed(v, pods, podFindingsOf(v.Workload, nil))
	s.memory, until = s.memory.settlingOf(in.Pods, in.Now)
	v.Unseen = slices.ContainsFunc(in.Pods, func(pod *corev1.Pod) bool { return in.Now.Before(diagnose.SeenAt(pod)) })
	if v.Settling = in.Now.Before(until); v.Settling {
		return until
	}
	return time.Time{}
}

// relapsed adds to the view of a StatefulSet or DaemonSet a failure of new pods after they were ready, if there is one.
func (s *session) relapsed(v *View, pods []*corev1.Pod, of podFindings) {
	var finding *Finding
	s.memory, finding = s.memory.follow(ownPods(v.Workload, pods), workload.UpdatedPod(v.Workload, pods), of, s.Clock.Now())
	v.failed(finding)
}

func (s *session) viewDeployment(view *View) (*View, time.Time, error) {
	snapshot := s.snapshot()
	if snapshot.Workload == nil || snapshot.deployment().UID != s.uid {
		return nil, time.Time{}, nil // the Deployment went just now, and the next look reports that
	}
	view.Workload, view.Phase = snapshot.deployment(), workload.PhaseOf(snapshot.deployment())
	var err error
	view.State, view.Record, err = openRollout(snapshot.deployment(), snapshot.ReplicaSets, s.decodeRecord)
	s.memory.patience = s.patience(view.Record)
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case view.State == Open && s.supersedes(view):
		view.Phase = workload.Standing
		return view, time.Time{}, nil
	case view.State == Open && view.Blind == nil:
		view.Phase = workload.Standing
		return view, earlierOf(s.viewStep(view, &snapshot), s.warnSilent(view.Workload)), nil
	case view.State == Open:
		if view.Phase = workload.Standing; snapshot.deployment().Spec.Paused {
			view.Phase = workload.PhasePaused
		}
	case view.Blind == nil && snapshot.StaleSince.IsZero():
		s.judge(view, &snapshot)
		s.reported(snapshot.report)
	}
	if view.Phase == workload.PhasePaused {
		view.Outcome, view.Message = Paused, "the Deployment is paused and its pod template is not rolled out"
	}
	until := earlierOf(snapshot.wake(), s.warnSilent(view.Workload))
	return view, earlierOf(until, s.viewEnded(view, &snapshot)), nil
}

// viewStep judges an open rollout and who looks after it. It returns when to look again.
func (s *session) viewStep(view *View, snapshot *Snapshot) time.Time {
	until := s.judgeStep(view, snapshot)
	now := s.Clock.Now()
	return earlierOf(until, s.attend(view, snapshot.due(view.Record, now), now))
}

// judgeStep judges an open rollout as its driver does, and returns when to look again.
func (s *session) judgeStep(view *View, snapshot *Snapshot) time.Time {
	now := s.Clock.Now()
	snapshot.Events = s.podEvents
	view.Counts, _ = snapshot.count(snapshot.Current(), view.Record.Wanted().MinReadySeconds, now)
	var next action
	next, s.memory = decide(gateOf(snapshot.Workload), snapshot, view.Record, s.memory, now)
	s.reported(snapshot.report)
	switch a := next.(type) {
	case await:
		if until := snapshot.wake(); !until.IsZero() {
			return earlier(a.until, until)
		}
		return a.until
	case goBack:
		view.failed(a.finding)
	case stop:
		view.Finding, view.Outcome, view.Message, view.Phase = a.finding, a.outcome, a.message, workload.PhaseFailed
		if a.outcome == Paused {
			view.Phase = workload.PhasePaused
		}
	}
	return time.Time{}
}

// viewEnded adds to the view how a rollout that was seen open has ended, and returns when to look again.
func (s *session) viewEnded(view *View, snapshot *Snapshot) time.Time {
	if s.record == nil && view.State == RollingBack {
		s.record = view.Record
	}
	if s.record == nil || view.State == Open || view.Stale {
		return time.Time{}
	}
	return s.viewEndOfDeployment(view, snapshot)
}

// judge adds to the view of a Deployment what its ReplicaSets and pods do.
func (s *session) judge(v *View, snapshot *Snapshot) {
	current := snapshot.Current()
	v.failed(snapshot.collides())
	if current == nil && snapshot.Observed() {
		// With strategy Recreate its controller makes the new ReplicaSet once all old pods are gone.
		s.memory = s.memory.after(snapshot.examine(nil, nil, s.memory, s.Clock.Now()))
		return
	}
	if !snapshot.Observed() || current == nil || workload.RevisionOf(current) != workload.RevisionOf(snapshot.deployment()) {
		return
	}
	deadline := snapshot.deployment().Spec.ProgressDeadlineSeconds
	switch v.Phase {
	case workload.PhasePaused:
		if snapshot.oldSize(current) == 0 {
			v.Phase = workload.Progressing // the newest template has all pods that there are
		}
	case workload.PhaseFailed, workload.Progressing:
		var finding *Finding
		snapshot.Events = s.podEvents
		s.memory, finding = s.memory.failure(snapshot, deadline, s.Clock.Now())
		if v.failed(finding); v.Finding == nil && v.Phase == workload.PhaseFailed && deadline != nil {
			v.failed(snapshot.stalled(current, *deadline))
		}
	}
}

// judgePods adds to the view of a StatefulSet or DaemonSet what its pods do, and returns when to look again.
func (s *session) judgePods(v *View, pods []*corev1.Pod) time.Time {
	in := inputOfUpdate(v.Workload, pods, s.Clock.Now())
	in.Events, in.Blind = s.podEvents, s.eventReader.deaf
	in.Claims, in.NoClaims = s.eventReader.claims()
	s.memory.recall(in)
	report := diagnose.Diagnose(in)
	s.memory = s.memory.after(&report)
	s.reported(&report)
	s.relapsed(v, pods, podFindingsOf(v.Workload, &report))
	if fatal := report.Fatal(); fatal != nil {
		v.failed(fatal)
	}
	cannotDelete := slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.ID == diagnose.FailedDelete })
	if v.Finding == nil && !cannotDelete {
		if next := v.heldUp(pods, in.Now); !next.IsZero() {
			return earlier(report.Next, next)
		}
	}
	return report.Next
}

// Await waits until the Deployment controller has completed a Deployment without an open rollout, or until it is clear that it
// will not. written is the Deployment as it was written, or nil. If it is given, Await does not wait for another Deployment of
// the same name, nor for another pod template that somebody sets.
func (e *Engine) Await(ctx context.Context, key types.NamespacedName, written *appsv1.Deployment) (*Result, error) {
	s, err := e.open(ctx, "Deployment", key)
	if err != nil {
		return nil, err
	}
	defer s.source.Close()
	s.phase, s.outcome = ending, Done
	if written != nil {
		s.uid, s.awaited.template, s.memory = written.UID, &written.Spec.Template, s.memory.sized(workload.ReplicasOf(written))
	}
	return s.run(ctx), nil
}
