package rollout

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	// preparing is how long a pod may be silent before its events are read: most pods have finished their preparations
	// by then.
	preparing = 1500 * time.Millisecond
	// askAgain is how long after that the events are read again for the first time. The time doubles with each read, up
	// to askRarely.
	askAgain  = 2 * time.Second
	askRarely = 30 * time.Second
	// lookAgain bounds how often the session works out which pods to read events of.
	lookAgain = 500 * time.Millisecond
	// answersIn is how long after a controller was made to try again its events are read.
	answersIn = 300 * time.Millisecond
)

// eventReader holds the events of the few pods whose state only events show, and of a workload that lacks pods.
type eventReader struct {
	asked  map[types.UID]asked
	looked time.Time
	// lacking is since when a workload that is no Deployment lacks pods, or zero if it does not.
	lacking time.Time
	// next is when to read events again, or zero if there is nothing to read.
	next time.Time
	// verdict is when a grace ends, or zero if none runs. At that moment, the events must not be old.
	verdict time.Time
	// decides is the moment from which a failed attempt is final, or zero if no attempt is awaited.
	decides time.Time
	// refused is the object whose controller could not do something, with its UID. answered is when to read its events
	// after its controller was made to try again.
	refused    diagnose.Object
	refusedUID types.UID
	answered   time.Time
	// volumes holds the claims of pods that wait for a node.
	volumes
	// blind is the error about a missing right. deaf is set if events could not be read last, for whatever reason.
	blind error
	deaf  bool
}

type asked struct {
	at     time.Time
	events []*corev1.Event
	// wait is how long the session does not read the events of the pod again. version is the pod's resource version at
	// the last read.
	wait    time.Duration
	version string
}

// listen reads the events of pods that have been silent for too long. It makes a few requests, however many pods there
// are.
func (s *session) listen(ctx context.Context) []*corev1.Event {
	w := &s.eventReader
	now := s.Clock.Now()
	due := w.looked.Add(lookAgain)
	switch {
	case w.blind != nil || !s.source.Synced() || s.source.Missing() != nil:
		w.next = time.Time{}
	case now.Before(due):
		// The latest change may be about such a pod.
		if w.next.IsZero() || due.Before(w.next) {
			w.next = due
		}
	default:
		w.looked, w.next = now, time.Time{}
		if in := s.present(); in != nil {
			s.ask(ctx, in, now)
		}
	}
	return w.events()
}

func (w *eventReader) events() []*corev1.Event {
	var all []*corev1.Event
	for _, a := range w.asked {
		all = append(all, a.events...)
	}
	return all
}

func (s *session) ask(ctx context.Context, in *diagnose.Input, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout) // for all requests together
	defer cancel()
	w := &s.eventReader
	w.forget(in)
	in.Events = w.events()
	for _, pod := range diagnose.Ask(in) {
		due := w.due(pod)
		if due.IsZero() {
			continue
		}
		if !now.Before(due) {
			events, err := s.eventsOf(ctx, aboutPod(pod))
			if s.cannotSee(err) {
				return
			}
			w.keep(pod.UID, pod.ResourceVersion, events, err, now)
			if diagnose.WaitsForVolume(pod) {
				s.askVolumes(ctx, pod)
			}
			due = w.due(pod)
		}
		w.next = earlier(w.next, due)
	}
	s.askWorkload(ctx, in, now)
	s.askRefused(ctx, now)
}

// askWorkload reads the events of a workload that lacks pods. In a rollout, a workload lacks pods for a moment again
// and again.
func (s *session) askWorkload(ctx context.Context, in *diagnose.Input, now time.Time) {
	w := &s.eventReader
	if in.Missing <= 0 && !diagnose.Lingers(in) {
		w.lacking = time.Time{}
		return
	}
	if w.lacking.IsZero() {
		w.lacking = now
	}
	due := w.lacking.Add(preparing)
	if known, again := w.asked[in.UID]; again {
		if due = w.retryAt(known, known.wait); known.at.Before(w.answered) {
			due = earlier(due, w.answered)
		}
	}
	if object := s.source.workload(); !now.Before(due) && object != nil {
		events, err := s.eventsOf(ctx, about{workload.ResourceOf(object), object})
		if s.cannotSee(err) {
			return
		}
		w.keep(in.UID, "", events, err, now) // no version: the workload's changes with every pod
		due = w.retryAt(w.asked[in.UID], w.asked[in.UID].wait)
	}
	w.next = earlier(w.next, due)
}

// forget drops the events of pods that are gone or ready.
func (w *eventReader) forget(in *diagnose.Input) {
	before := w.asked
	w.asked = map[types.UID]asked{}
	for _, pod := range slices.Concat(in.Pods, in.Stale, in.Others) {
		known, again := before[pod.UID]
		if ready, _ := workload.ReadySince(pod); again && (!ready || pod.DeletionTimestamp != nil) {
			w.asked[pod.UID] = known
		}
	}
	if known, again := before[in.UID]; again && (in.Missing > 0 || diagnose.Lingers(in)) {
		w.asked[in.UID] = known
	}
	if known, again := before[w.refusedUID]; again && w.refused != (diagnose.Object{}) {
		w.asked[w.refusedUID] = known
	}
}

func (w *eventReader) keep(uid types.UID, version string, events []*corev1.Event, err error, now time.Time) {
	known, again := w.asked[uid]
	if w.deaf = err != nil; err == nil {
		known.events = events
	}
	known.wait = min(2*known.wait, askRarely)
	if !again || known.version != version {
		known.wait = askAgain
	}
	known.at, known.version = now, version
	w.asked[uid] = known
}

// due returns when to read the events of a pod, or zero if they are not needed.
func (w *eventReader) due(pod *corev1.Pod) time.Time {
	known, again := w.asked[pod.UID]
	if pod.DeletionTimestamp != nil { // the effect of its hooks is read once, about when they run
		if again {
			return time.Time{}
		}
		return pod.DeletionTimestamp.Add(askAgain - time.Duration(ptr.Deref(pod.DeletionGracePeriodSeconds, 0))*time.Second)
	}
	if !w.isTelling(pod) {
		quiet := diagnose.QuietAt(pod)
		if again && known.at.After(quiet) && !quiet.IsZero() {
			return known.at.Add(askRarely)
		}
		return quiet
	}
	if !again {
		due := pod.CreationTimestamp.Add(preparing)
		if scheduled := workload.PodCondition(pod, corev1.PodScheduled); scheduled != nil {
			due = scheduled.LastTransitionTime.Add(preparing)
		}
		if turn := w.turn(); diagnose.Preparing(pod) && turn.After(due) {
			return turn
		}
		return due
	}
	if known.version != pod.ResourceVersion {
		return w.retryAt(known, askAgain)
	}
	return w.retryAt(known, known.wait)
}

// isTelling reports whether the events of a pod now show more than the pod itself.
func (w *eventReader) isTelling(pod *corev1.Pod) bool {
	return diagnose.Preparing(pod) || pod.Spec.NodeName == "" || diagnose.PullFails(pod) || !w.decides.IsZero() && diagnose.TriesAgain(pod)
}

// again returns when to read an object's events again.
func (w *eventReader) retryAt(known asked, wait time.Duration) time.Time {
	due := known.at.Add(wait)
	if last := w.verdict.Add(-askAgain); !w.verdict.IsZero() && known.at.Before(last) {
		due = earlier(due, last)
	}
	if soon := later(known.at.Add(askAgain), w.decides); !w.decides.IsZero() {
		due = earlier(due, soon)
	}
	return due
}

// turn returns when to read the events of the next among similar pods, or zero. It is askAgain after the last pod whose
// events show that it has finished its preparations.
func (w *eventReader) turn() time.Time {
	var turn time.Time
	for _, known := range w.asked {
		if at := known.at.Add(askAgain); diagnose.Begun(known.events) && at.After(turn) {
			turn = at
		}
	}
	return turn
}

// expect records when the next verdict is due that more events might change.
func (w *eventReader) expect(report *diagnose.Report) {
	w.verdict, w.decides, w.refused = time.Time{}, time.Time{}, diagnose.Object{}
	if report == nil {
		return
	}
	w.decides = report.Decides
	if w.refused = report.Refused; w.refused.Kind == "ReplicaSet" && w.next.IsZero() {
		w.next = w.looked.Add(lookAgain)
	}
	if len(w.asked) == 0 {
		return
	}
	for i := range report.Findings {
		if f := &report.Findings[i]; f.Severity == diagnose.Warning && f.Grace != nil && !f.Starting() {
			w.verdict = earlier(w.verdict, f.Grace.Until)
		}
	}
	if last := w.verdict.Add(-askAgain); !w.verdict.IsZero() && w.looked.Before(last) {
		w.next = earlier(w.next, last)
	}
}

// cannotSee reports whether an error is about a missing right. It keeps the first such error, and emits once that less
// can be seen.
func (s *session) cannotSee(err error) bool {
	if err == nil || !apierrors.IsForbidden(err) {
		return false
	}
	if s.eventReader.blind == nil {
		s.eventReader.blind, s.eventReader.deaf = err, true
		s.emit(ProgressEvent{Message: "causes that only events tell are not seen: " + err.Error()})
	}
	return true
}

// present returns the input for a diagnosis now, or nil if the workload does not exist.
func (s *session) present() *diagnose.Input {
	w := s.source.workload()
	if w == nil {
		return nil
	}
	if workload.Of(w).HasReplicaSets {
		snapshot := s.snapshot()
		if snapshot.Workload == nil {
			return nil
		}
		in := snapshot.input(snapshot.Current(), s.Clock.Now())
		in.Deadline = patienceOf(settingsBehind(snapshot.deployment()).ProgressDeadlineSeconds)
		return in
	}
	in := inputOfUpdate(w, s.source.pods(), s.Clock.Now())
	in.Blind = s.eventReader.deaf
	return in
}
