package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

const (
	// preparing is how long a pod may be silent before its events are asked for: most are through with it by then.
	preparing = 1500 * time.Millisecond
	// askAgain is how long after that they are asked for again.
	askAgain = 2 * time.Second
	// lookAgain bounds how often it is worked out who is to be asked about.
	lookAgain = 500 * time.Millisecond
)

// witness keeps the events of the few pods that only events tell of.
type witness struct {
	asked  map[types.UID]asked
	looked time.Time
	// next is when there is something to ask again, zero where there is not.
	next time.Time
	// blind is the right that is missing.
	blind error
}

type asked struct {
	at     time.Time
	events []*corev1.Event
}

// listen asks for the events of pods that have been silent for too long: a few requests, however many pods there are.
func (s *session) listen(ctx context.Context) []*corev1.Event {
	w := &s.witness
	now := s.Clock.Now()
	due := w.looked.Add(lookAgain)
	switch {
	case w.blind != nil || !s.source.synced() || s.source.missing() != nil:
		w.next = time.Time{}
	case now.Before(due):
		// What has changed just now may be such a pod.
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

func (w *witness) events() []*corev1.Event {
	var all []*corev1.Event
	for _, a := range w.asked {
		all = append(all, a.events...)
	}
	return all
}

func (s *session) ask(ctx context.Context, in *diagnose.Input, now time.Time) {
	w := &s.witness
	before := w.asked
	w.asked = map[types.UID]asked{}
	for _, pod := range diagnose.Ask(in) {
		if !diagnose.Preparing(pod) && pod.Spec.NodeName != "" && !diagnose.PullFails(pod) {
			continue
		}
		known, again := before[pod.UID]
		due := pod.CreationTimestamp.Add(preparing)
		if scheduled := podCondition(pod, corev1.PodScheduled); scheduled != nil {
			due = scheduled.LastTransitionTime.Add(preparing)
		}
		if again {
			w.asked[pod.UID], due = known, known.at.Add(askAgain)
		}
		if !now.Before(due) {
			events, err := s.eventsOf(ctx, pod)
			if s.cannotSee(err) {
				return
			}
			if err == nil {
				known.events = events
			}
			known.at, due = now, now.Add(askAgain)
			w.asked[pod.UID] = known
		}
		w.next = earlier(w.next, due)
	}
}

// cannotSee keeps and tells once that a right is missing without which less can be seen.
func (s *session) cannotSee(err error) bool {
	if err == nil || !apierrors.IsForbidden(err) {
		return false
	}
	if s.witness.blind == nil {
		s.witness.blind = err
		s.emit(ProgressEvent{Message: "causes that only events tell are not seen: " + err.Error()})
	}
	return true
}

// present is what there is to diagnose now, nil where there is nothing.
func (s *session) present() *diagnose.Input {
	workload := s.source.workload()
	if _, is := workload.(*appsv1.Deployment); is || workload == nil {
		snapshot := s.snapshot()
		if snapshot.Deployment == nil {
			return nil
		}
		return snapshot.input(snapshot.Current(), s.Clock.Now())
	}
	return inputOfOthers(workload, s.source.pods(), s.Clock.Now())
}

// enrich adds to a finding what is read only once there is one: events, by which a crash may turn out to be a probe's doing,
// and the last lines of the log.
func (s *session) enrich(ctx context.Context, finding *Finding) *Finding {
	if in := s.present(); in != nil && finding.Pod != "" && s.witness.blind == nil {
		in.Seen, in.Events = s.memory.seen, s.witness.events()
		if in.Seen == nil {
			in.Seen = diagnose.Seen{}
		}
		for _, pod := range in.Pods {
			if pod.Name == finding.Pod {
				events, err := s.eventsOf(ctx, pod)
				s.cannotSee(err)
				in.Events = append(in.Events, events...)
			}
		}
		report := diagnose.Diagnose(in)
		finding = finding.Refined(&report)
	}
	var err error
	if finding.Logs, err = s.logsOf(ctx, s.key.Namespace, finding, s.LogLines); err != nil {
		s.emit(ProgressEvent{Message: "the container's log is not seen: " + err.Error()})
	}
	return finding
}
