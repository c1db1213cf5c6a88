package rollout

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Explanation describes what stands in the way of a workload at one moment.
type Explanation struct {
	Workload workload.Object
	Phase    workload.Phase
	Findings []Finding
	// Blind are the errors that hide more from view, such as missing rights.
	Blind []error
	// Attendance is who looks after an open rollout, or nil if none is open.
	Attendance *Attendance
	// moves says that somebody may be driving the open rollout.
	moves bool
}

// InTheWay reports whether something does stand in the way. A fatal finding always does. Other findings do not count once the
// workload has come as far as it should. Nor do a failed preStop hook, what every pod goes through as it starts, and an open
// rollout that somebody may be driving.
func (e *Explanation) InTheWay() bool {
	arrived := e.arrived()
	for i := range e.Findings {
		f := &e.Findings[i]
		quiet := arrived || f.Starting() || f.ID == diagnose.FailedPreStopHook || e.moves && f.ID == diagnose.RolloutOpen
		if f.Severity == diagnose.Fatal || !quiet {
			return true
		}
	}
	return false
}

// arrived reports whether a workload has come as far as it does by itself, and its pods are ready.
func (e *Explanation) arrived() bool {
	switch e.Phase {
	case workload.Complete, workload.Partitioned:
		return true
	case workload.OnDelete:
		counts := workload.PodCountsOf(e.Workload)
		return counts.Old == 0 && counts.Ready >= counts.Desired
	}
	return false
}

// Explain finds what stands in the way of a workload now. It reads the last lines of the logs of containers that failed.
func (e *Engine) Explain(ctx context.Context, w workload.Object, lines int64) (*Explanation, error) {
	in, due, err := e.inputOf(ctx, w)
	if err != nil {
		return nil, err
	}
	told := &Explanation{Workload: w, Phase: completionOf(w, slices.Concat(in.Pods, in.Others), in.Now).phase}
	shown, err := facts(told, in, due)
	if err != nil {
		return nil, err
	}
	in.Facts = append(in.Facts, shown...)
	for _, object := range toAsk(in, w) {
		events, err := e.eventsOf(ctx, object)
		if err != nil {
			told.Blind, in.Blind = append(told.Blind, err), true
			break
		}
		in.Events = append(in.Events, events...)
	}
	if !in.Blind {
		in.Events = append(in.Events, e.eventsOfPredecessors(ctx, w, in)...)
	}
	for _, pod := range diagnose.Ask(in) {
		if diagnose.WaitsForVolume(pod) {
			e.readClaims(ctx, pod, in)
		}
	}
	told.Findings = diagnose.Diagnose(in).Findings
	for i := range told.Findings {
		f := &told.Findings[i]
		if f.Severity == diagnose.Fatal && told.Phase != workload.Standing {
			told.Phase = workload.PhaseFailed
		}
		if f.Starting() {
			continue
		}
		if err := e.addLogs(ctx, w.GetNamespace(), f, lines); err != nil {
			told.Blind = append(told.Blind, err)
			break
		}
	}
	return told, nil
}

// toAsk returns the objects whose events can explain more.
func toAsk(in *diagnose.Input, w workload.Object) []about {
	var objects []about
	for _, pod := range diagnose.Ask(in) {
		objects = append(objects, aboutPod(pod))
	}
	if in.Missing > 0 || diagnose.Lingers(in) {
		objects = append(objects, about{workload.ResourceOf(w), w})
	}
	return objects
}

// dueFunc returns since when the driver of a rollout has had something to do. It returns zero if the driver has nothing to do,
// or if that is not known.
type dueFunc func(*Record) time.Time

// facts returns the causes that the workload itself shows. It may change the phase in told.
func facts(told *Explanation, in *diagnose.Input, due dueFunc) ([]diagnose.Fact, error) {
	var facts []diagnose.Fact
	if since := unobservedSince(told.Workload); !since.IsZero() && in.Now.Sub(since) >= silentAfter {
		facts = append(facts, diagnose.Fact{ID: diagnose.ControllerSilent, Message: silence(told.Workload, since, in.Now)})
	}
	if d := in.Deployment; d != nil && d.Spec.Paused && told.Phase != workload.Complete {
		facts = append(facts, diagnose.Fact{ID: diagnose.Paused, Message: "the Deployment is paused and its pod template is not rolled out"})
	}
	switch told.Phase {
	case workload.OnDelete:
		if counts := workload.PodCountsOf(told.Workload); counts.Old > 0 && !MayBeOpen(told.Workload) {
			facts = append(facts, diagnose.Fact{ID: diagnose.OnDelete, Message: fmt.Sprintf("%d pods of an older template wait to be deleted", counts.Old)})
		}
	case workload.PhaseFailed:
		facts = append(facts, diagnose.Fact{ID: diagnose.ProgressDeadlineExceeded, Message: "no progress within progressDeadlineSeconds"})
	}
	state, record, err := openIn(told.Workload, in.ReplicaSet)
	switch {
	case err != nil || state == Idle:
		return facts, err
	case state == Disturbed:
		return append(facts, diagnose.Fact{ID: diagnose.RolloutOpen, Message: EndedBy(told.Workload, record)}), nil
	}
	a := record.attendance(told.Workload, time.Time{}, in.Now)
	if a.State == Driven {
		a = record.attendance(told.Workload, due(record), in.Now)
	}
	if told.Attendance = &a; state == RollingBack {
		return facts, nil
	}
	return append(facts, openFact(told, in, record)), nil
}

// openFact describes where an open rollout stands, and whether somebody may be driving it. It sets the phase in told.
func openFact(told *Explanation, in *diagnose.Input, record *Record) diagnose.Fact {
	if told.Phase = workload.Standing; record.Update == nil {
		in.Deadline = patienceOf(record.Wanted().ProgressDeadlineSeconds)
	}
	text := fmt.Sprintf("a rollout is open at step %d of %d", record.Step, len(record.Plan.Steps))
	if a := told.Attendance; a.State != Held && record.rewritten(told.Workload) {
		text += ", but spec.strategy was written" + strategyWriter(told.Workload, record) + " over the one that holds it there"
	} else {
		text += a.text()
		told.moves = a.State == Driven
		in.Situation.Driven = told.moves && !workload.IsPaused(told.Workload)
	}
	return diagnose.Fact{ID: diagnose.RolloutOpen, Message: text}
}

// openIn finds the open rollout of a workload. For a Deployment it looks at the newest ReplicaSet as well.
func openIn(workload workload.Object, newest *appsv1.ReplicaSet) (State, *Record, error) {
	d, is := workload.(*appsv1.Deployment)
	if !is || newest == nil {
		return OpenIn(workload)
	}
	return OpenRollout(d, []*appsv1.ReplicaSet{newest})
}

// inputOf reads what there is to diagnose of a workload: its pods and its ReplicaSets or ControllerRevisions.
func (e *Engine) inputOf(ctx context.Context, w workload.Object) (*diagnose.Input, dueFunc, error) {
	selector, err := metav1.LabelSelectorAsSelector(workload.SelectorOf(w))
	if err != nil {
		return nil, nil, fmt.Errorf("the selector of %s %q does not parse: %w", workload.ResourceOf(w), w.GetName(), err)
	}
	list, err := e.Client.CoreV1().Pods(w.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if apierrors.IsForbidden(err) {
		return nil, nil, fmt.Errorf("the right to list pods in namespace %q is missing, without which it cannot be told what stands in the way of %s %q: %w",
			w.GetNamespace(), workload.ResourceOf(w), w.GetName(), err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot list the pods of %s %q in namespace %q: %w", workload.ResourceOf(w), w.GetName(), w.GetNamespace(), err)
	}
	pods := make([]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		pods[i] = &list.Items[i]
	}
	if d, is := w.(*appsv1.Deployment); is {
		sets, err := kube.ReplicaSets(ctx, e.Client, d)
		if err != nil {
			return nil, nil, err
		}
		snapshot := NewSnapshot(d, sets, pods)
		in := snapshot.input(snapshot.Current(), e.Clock.Now())
		if finding := snapshot.collides(); finding != nil {
			in.Facts = []diagnose.Fact{{ID: finding.ID, Message: finding.Message}}
		}
		return in, func(record *Record) time.Time { return snapshot.due(record, in.Now) }, nil
	}
	in := inputOfUpdate(w, pods, e.Clock.Now())
	if in.Facts, err = e.collisionOf(ctx, w); err != nil {
		return nil, nil, err
	}
	if set, is := w.(*appsv1.StatefulSet); is {
		// A command that follows a rollout reports these pods in words of its own.
		in.Stale, _ = obstacles(set, pods, in.Now)
		for _, pod := range awaited(set, pods) {
			if !slices.Contains(in.Stale, pod) {
				in.Recovering = append(in.Recovering, pod)
			}
		}
	}
	return in, func(record *Record) time.Time {
		o := new(NewSnapshot(w, nil, pods))
		if newest, err := e.revisionOfTemplate(ctx, w); err == nil && workload.ObservedGenerationOf(w) >= w.GetGeneration() {
			o.Newest = newest
		}
		return o.due(record, in.Now)
	}, nil
}

// input returns what there is to diagnose of a Deployment.
func (s *Snapshot) input(current *appsv1.ReplicaSet, now time.Time) *diagnose.Input {
	in := &diagnose.Input{
		Workload: diagnose.Object{Kind: "Deployment", Name: s.deployment().Name}, Namespace: s.deployment().Namespace,
		Deployment: s.deployment(), ReplicaSet: current, Now: now, Deadline: patienceOf(s.deployment().Spec.ProgressDeadlineSeconds),
		Blind: s.Deaf, Claims: s.Claims, NoClaims: s.NoClaims, Situation: s.situation(current),
	}
	for _, rs := range s.ReplicaSets {
		if current == nil || rs.UID != current.UID {
			in.OldSets = append(in.OldSets, rs)
		}
	}
	for _, pod := range s.Pods {
		if workload.OwnedBy(pod, current) {
			in.Pods = append(in.Pods, pod)
		} else {
			in.Others = append(in.Others, pod)
		}
	}
	for _, pod := range s.Gone {
		if workload.OwnedBy(pod, current) && pod.DeletionTimestamp == nil {
			in.Pods = append(in.Pods, pod) // it has ended
		} else {
			in.Others = append(in.Others, pod)
		}
	}
	return in
}

// inputOfUpdate returns what there is to diagnose of a StatefulSet or DaemonSet.
func inputOfUpdate(w workload.Object, pods []*corev1.Pod, now time.Time) *diagnose.Input {
	in := &diagnose.Input{
		Workload: diagnose.Object{Kind: workload.KindOf(w), Name: w.GetName()}, Namespace: w.GetNamespace(), Now: now,
		UID: w.GetUID(), Missing: int(workload.PodCountsOf(w).Desired), Situation: diagnose.Situation{Open: MayBeOpen(w)},
	}
	isNewest, isKept := workload.NewestPod(w, pods), keptPod(w)
	for _, pod := range pods {
		if !metav1.IsControlledBy(pod, w) {
			continue
		}
		hasEnded := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
		if isNewest(pod) && (workload.IsActive(pod) || hasEnded) || isKept(pod) {
			in.Pods = append(in.Pods, pod)
		} else {
			in.Others = append(in.Others, pod)
		}
		if workload.IsActive(pod) {
			in.Missing--
		}
	}
	return in
}
