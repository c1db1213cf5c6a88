package rollout

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// watching is what somebody sees who follows a rollout that others drive.
type watching struct {
	last   *View
	states []Attention
	done   chan struct{}
}

// follow follows the rollout from now on until it has ended, or nobody drives it.
func (b *bench) follow(ctx context.Context, t *testing.T) *watching {
	t.Helper()
	engine := *b.engine
	engine.Emit = nil
	d, err := engine.Deployment(ctx, worldKey)
	if err != nil {
		t.Fatal(err)
	}
	w := &watching{done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	go func() {
		defer close(w.done)
		defer cancel()
		_ = engine.Follow(ctx, d, nil, func(view *View) (bool, error) {
			w.last = view
			a := view.Attendance
			if a != nil && !slices.Contains(w.states, a.State) {
				w.states = append(w.states, a.State)
			}
			return view.Outcome != "" || view.Phase == workload.Complete || a != nil && a.Abandoned() && view.AbandonedFor >= BelievedAfter, nil
		})
	}()
	return w
}

// Who follows a rollout sees how it ends, never that nobody drives it while somebody does, and soon that nobody does.
func TestFollowingARolloutThatOthersDrive(t *testing.T) {
	broken := func(b *bench) { b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" } }
	for name, test := range map[string]struct {
		change  func(*bench)
		options func(*StartOptions)
		// stop ends the driver at its second step: killed, it writes nothing any more.
		stop, killed bool
		phase        workload.Phase
		outcome      Outcome
		states       []Attention
		within       time.Duration
	}{
		"it is rolled out": {phase: workload.Complete, states: []Attention{Driven}},
		"with a hold":      {options: func(o *StartOptions) { o.Hold = 10 * time.Minute }, phase: workload.Complete, states: []Attention{Driven}},
		"a slow start": {change: func(b *bench) {
			b.stuck = map[types.UID]bool{}
			b.shape = func(pod *corev1.Pod) { b.startSlowly(pod, &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 30}) }
		}, phase: workload.Complete, states: []Attention{Driven}},
		"it goes back": {change: broken, phase: workload.PhaseRolledBack, outcome: RolledBack, states: []Attention{Driven}},
		"within limits of its own": {
			change: broken, options: func(o *StartOptions) { o.MaxSurge = ptr.To(everything()) }, phase: workload.PhaseRolledBack, outcome: RolledBack, states: []Attention{Driven},
		},
		"it is left at its step": {
			change: broken, options: func(o *StartOptions) { o.OnFailure = plan.OnFailureHold }, phase: workload.PhaseFailed, outcome: Failed, states: []Attention{Driven},
		},
		"interrupted": {stop: true, phase: workload.Standing, states: []Attention{Driven, Left}, within: 5 * time.Second},
		"killed":      {stop: true, killed: true, phase: workload.Standing, states: []Attention{Driven, Orphaned}, within: 25 * time.Second},
		"killed in a hold": {
			options: func(o *StartOptions) { o.Hold = time.Minute }, stop: true, killed: true, phase: workload.Standing,
			states: []Attention{Driven, Orphaned}, within: 85 * time.Second,
		},
		"killed in a long hold": {
			options: func(o *StartOptions) { o.Hold = 20 * time.Minute }, stop: true, killed: true, phase: workload.Standing,
			states: []Attention{Driven, Orphaned}, within: 5 * time.Minute,
		},
		"killed in a slow start": {
			change: func(b *bench) {
				b.stuck = map[types.UID]bool{}
				b.shape = func(pod *corev1.Pod) { b.startSlowly(pod, &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 120}) }
			}, stop: true, killed: true, phase: workload.Standing, states: []Attention{Driven, Orphaned}, within: time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.now = time.Now()
					for _, pod := range b.pods { // they have been ready since before the bubble's time
						b.setReady(pod, corev1.ConditionTrue)
					}
					if test.change != nil {
						test.change(b)
					}
				})
				options := inSteps
				if test.options != nil {
					test.options(&options)
				}
				ctx, stop := context.WithCancelCause(t.Context())
				var w *watching
				var stoppedAt time.Time
				b.onStep(1, func() {
					w = b.follow(t.Context(), t)
					b.onStep(2, func() {
						if !test.stop {
							return
						}
						if stoppedAt = time.Now(); test.killed {
							b.refusesWrites(apierrors.NewInternalError(errors.New("killed")), func() bool { return true })
						}
						stop(errors.New("interrupted"))
					})
				})
				if _, err := b.engine.Start(ctx, "Deployment", worldKey, newImage, options); err != nil {
					t.Fatal(err)
				}
				<-w.done
				if test.outcome == Failed { // its driver may have written that down before
					w.states = slices.DeleteFunc(w.states, func(a Attention) bool { return a == Left })
				}
				if w.last.Phase != test.phase || w.last.Outcome != test.outcome || !slices.Equal(w.states, test.states) {
					t.Errorf("%s, %q (%s), seen as %v; want %s, %q, %v", w.last.Phase, w.last.Outcome, w.last.Message, w.states, test.phase, test.outcome, test.states)
				}
				if took := time.Since(stoppedAt); test.stop && took > test.within {
					t.Errorf("it took %s to see that nobody drives it", took)
				}
			})
		})
	}
}

// Whoever goes on with a rollout that was left says so, whether it has anything else to do or not.
func TestAResumedRolloutIsDrivenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, stop := context.WithCancelCause(t.Context())
		b.change(func() {
			b.shape = func(pod *corev1.Pod) { b.stuck = map[types.UID]bool{pod.UID: imageOfTemplate(b.d) == "web:2"} }
		})
		b.onStep(1, func() { time.AfterFunc(time.Second, func() { stop(errors.New("interrupted")) }) })
		wantOutcome(t, b.start(ctx, t), Detached, "")
		left := recordOf(t, b.d)
		if left.Rest == nil || left.Rest.Reason != "detached" {
			t.Fatalf("left as %+v", left.Rest)
		}
		ctx, stop = context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() {
			if rest := recordOf(t, b.d).Rest; rest != nil {
				t.Errorf("it is driven, and the record says %+v", rest)
			}
			stop(ErrTimeout)
		})
		result, err := b.engine.Resume(ctx, "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, TimedOut, "")
		if rest := recordOf(t, b.d).Rest; rest == nil || rest.Reason != "timed-out" {
			t.Errorf("left as %+v", rest)
		}
	})
}

func recordOf(t *testing.T, d *appsv1.Deployment) *Record {
	t.Helper()
	record, err := decodeRecord(d.Annotations[Annotation])
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestSinceWhenADriverOfOthersHasSomethingToDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Snapshot, *Record)
		gone   []*corev1.Pod
		want   time.Time
	}{
		"the next step":    {want: noon(-60)},
		"begun since":      {change: func(_ *Snapshot, r *Record) { r.StartedAt = metav1.NewTime(noon(-20)) }, want: noon(-20)},
		"one is not ready": {change: func(o *Snapshot, _ *Record) { o.Pods[5].Status.Conditions = nil }},
		"not observed":     {change: func(o *Snapshot, _ *Record) { o.Newest = nil }},
		"no connection":    {change: func(o *Snapshot, _ *Record) { o.StaleSince = noon(-1) }},
		"another template": {change: func(o *Snapshot, _ *Record) { o.Newest.Revision = 3 }, want: noon(-60)},
		"within its hold":  {change: func(_ *Snapshot, r *Record) { r.Plan.Hold.Duration = time.Minute * 2 }, want: noon(60)},
		"its hold is noted": {change: func(_ *Snapshot, r *Record) {
			r.Plan.Hold.Duration, r.HoldUntil = time.Hour, ptr.To(metav1.NewTime(noon(5)))
		}, want: noon(5)},
		"its hold is over": {change: func(_ *Snapshot, r *Record) {
			r.Plan.Hold.Duration, r.HoldUntil = time.Second, ptr.To(metav1.NewTime(noon(-5)))
		}, want: noon(-5)},
		"minReadySeconds run": {change: func(o *Snapshot, _ *Record) {
			switch w := o.Workload.(type) {
			case *appsv1.StatefulSet:
				w.Spec.MinReadySeconds = 90
			case *appsv1.DaemonSet:
				w.Spec.MinReadySeconds = 90
			}
		}, want: noon(30)},
		"an old pod was told to end": {gone: []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{
			DeletionTimestamp: ptr.To(metav1.NewTime(noon(20))), DeletionGracePeriodSeconds: ptr.To[int64](30),
		}}}, want: noon(-10)},
	} {
		for _, kind := range []string{"StatefulSet", "DaemonSet"} {
			o, record := six(kind)
			if test.change != nil {
				test.change(o, record)
			}
			o.Gone = test.gone
			if got := o.due(record, noon(0)); !got.Equal(test.want) {
				t.Errorf("%s, %s: %s, want %s", name, kind, got, test.want)
			}
		}
	}
}

func TestAttendance(t *testing.T) {
	t.Parallel()
	at := func(seconds int) metav1.Time { return metav1.NewTime(noon(seconds)) }
	since := at(-3600)
	for name, test := range map[string]struct {
		record Record
		due    time.Time
		want   Attention
		text   string
	}{
		"nothing to do":  {want: Driven, text: "the rollout is open, which is driven"},
		"not for long":   {due: noon(-14), want: Driven, text: "the rollout is open, which is driven"},
		"for too long":   {due: noon(-15), want: Orphaned, text: "the rollout is open, and nobody has driven it on since 2026-07-01T11:59:45Z"},
		"held":           {record: Record{Held: true, Rest: &Rest{Since: since, Reason: restHeld}}, due: noon(-900), want: Held, text: "the rollout is open, where somebody holds it since 2026-07-01T11:00:00Z"},
		"held, long ago": {record: Record{Held: true}, want: Held, text: "the rollout is open, where somebody holds it"},
		"left": {
			record: Record{Rest: &Rest{Since: since, Reason: "failed", Cause: "CrashLoopBackOff"}}, due: noon(-900), want: Left,
			text: "the rollout is open, where it was left standing since 2026-07-01T11:00:00Z (failed, CrashLoopBackOff)",
		},
		"alive": {record: Record{StartedAt: at(-300), AliveAt: ptr.To(at(-49))}, want: Driven, text: "the rollout is open, which is driven"},
		"silent for too long": {
			record: Record{StartedAt: at(-300), AliveAt: ptr.To(at(-50))}, want: Orphaned,
			text: "the rollout is open, and nobody has driven it on since 2026-07-01T11:59:10Z",
		},
		"alive in its hold": {
			record: Record{AliveAt: ptr.To(at(-149)), HoldUntil: ptr.To(at(30))}, due: noon(30), want: Driven,
			text: "the rollout is open, which is watched until 2026-07-01T12:00:30Z",
		},
		"silent in its hold": {
			record: Record{AliveAt: ptr.To(at(-150)), HoldUntil: ptr.To(at(30))}, due: noon(30), want: Orphaned,
			text: "the rollout is open, and nobody has driven it on since 2026-07-01T11:57:30Z",
		},
		"of a release without signs of life": {record: Record{StartedAt: at(-300)}, want: Driven, text: "the rollout is open, which is driven"},
		"rolling back":                       {record: Record{RollingBack: true}, due: noon(-900), want: Returning, text: "the rollout is open, and the old version returns"},
		"in its hold": {
			record: Record{HoldUntil: ptr.To(metav1.NewTime(noon(30)))}, due: noon(30), want: Driven,
			text: "the rollout is open, which is watched until 2026-07-01T12:00:30Z",
		},
	} {
		a := test.record.attendance(&appsv1.Deployment{}, test.due, noon(0))
		if got := a.Text(); a.State != test.want || got != test.text {
			t.Errorf("%s: %s, %q", name, a.State, got)
		}
	}
}
