package rollout

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// The tests below run whole commands, watches included, against a world whose controllers run beside them. Each runs in
// a bubble of testing/synctest: its time passes when nothing else can happen, and a goroutine that a command leaves
// behind fails the test.

var (
	worldKey = types.NamespacedName{Namespace: worldNamespace, Name: worldName}
	newImage = Change{Images: []podtemplate.ImageChange{{Image: "web:2"}}}
	inSteps  = StartOptions{Steps: plan.Steps{intstr.FromInt32(1), intstr.FromString("50%"), everything()}, OnFailure: plan.OnFailureRollback}
)

// bench is a world that runs by itself, with an engine to work on it.
type bench struct {
	*apiServer
	engine *Engine
	events []Event
	// away stops the controllers and the kubelets.
	away bool
	// meddle is called before the controllers do something.
	meddle func()
	// seen is called with every event, on the engine's goroutine.
	seen func(Event)
}

// inBubble runs a test on a Deployment of four replicas with one extra and no missing pod.
func inBubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(4, settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0))
		b := &bench{apiServer: &apiServer{world: w}}
		client, err := b.client()
		if err != nil {
			t.Fatal(err)
		}
		b.engine = &Engine{LogLines: LogLines, Client: client, Clock: clock.RealClock{}, FieldManager: "test", Emit: b.emit}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go b.live(ctx, done)
		test(t, b)
		stop()
		<-done
	})
}

func (b *bench) emit(_ time.Time, event Event) {
	b.events = append(b.events, event)
	if b.seen != nil {
		b.seen(event)
	}
}

// live lets the controllers and the kubelets do something ten times a second.
func (b *bench) live(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	settled := int64(-1)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		b.mu.Lock()
		b.now = time.Now()
		if b.meddle != nil {
			b.meddle()
		}
		// What the controllers do depends on the objects alone here, so that they rest while nothing changes.
		if b.d != nil && !b.away && b.serial != settled {
			settled = b.serial
			b.syncDeployment(b.d, b.sets)
			for _, rs := range b.sets {
				b.resync(rs)
			}
			for _, pod := range b.pods {
				b.runPod(pod.UID)
			}
		}
		b.mu.Unlock()
	}
}

// change does something to the world from outside.
func (b *bench) change(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
}

// onStep does something once, when a step begins.
func (b *bench) onStep(step int, do func()) {
	b.seen = func(event Event) {
		if e, ok := event.(StepEvent); ok && e.Step == step {
			b.seen = nil
			do()
		}
	}
}

func (b *bench) start(ctx context.Context, t *testing.T) *Result {
	t.Helper()
	result, err := b.engine.Start(ctx, "Deployment", worldKey, newImage, inSteps)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return result
}

// wantOutcome checks how a command ended.
func wantOutcome(t *testing.T, result *Result, want Outcome, message string) {
	t.Helper()
	if result.Outcome != want || !strings.Contains(result.Message, message) {
		t.Fatalf("outcome %s (%s, finding %v), want %s (%s)", result.Outcome, result.Message, result.Finding, want, message)
	}
}

// wantWhole checks that the Deployment runs an image and carries nothing of a rollout.
func (b *bench) wantWhole(t *testing.T, image string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := imageOfTemplate(b.d); got != image {
		t.Errorf("the Deployment runs %s, want %s", got, image)
	}
	if all, ready := b.podsOf(b.setOf(image)); int32(len(b.pods)) != *b.d.Spec.Replicas || all != *b.d.Spec.Replicas || ready != all {
		t.Errorf("%d pods, %d of them of %s, %d ready", len(b.pods), all, image, ready)
	}
	if want := settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0); !apiequality.Semantic.DeepEqual(SettingsOf(b.d), want) {
		t.Errorf("the Deployment is left with %+v", SettingsOf(b.d))
	}
	for _, object := range []metav1.Object{b.d, b.sets[0], b.sets[len(b.sets)-1]} {
		if text, found := object.GetAnnotations()[Annotation]; found {
			t.Errorf("%s is left with the annotation %s", object.GetName(), text)
		}
	}
}

func TestStartRunsToItsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Done, "")
		b.wantWhole(t, "web:2")
		if result.Revision != 2 || result.Standing {
			t.Errorf("revision %d, standing %v", result.Revision, result.Standing)
		}
		a := result.Availability
		if a.Lowest < a.Floor || a.Highest > a.Ceiling || a.Floor != 4 || a.Ceiling != 5 || len(a.Steps) != 3 {
			t.Errorf("availability %+v", a)
		}
		var targets []int32
		for _, event := range b.events {
			if e, ok := event.(StepEvent); ok {
				targets = append(targets, e.Target)
			}
		}
		if len(targets) != 3 || targets[0] != 1 || targets[1] != 2 || targets[2] != 4 {
			t.Errorf("steps to %v", targets)
		}
		if most := 4*3 + 6; len(b.writes) > most {
			t.Errorf("%d writes (%v), want at most %d", len(b.writes), b.writes, most)
		}
	})
}

func TestStartWithoutAChangeWritesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, Change{Images: []podtemplate.ImageChange{{Image: "web:1"}}}, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Unchanged, "already is the wanted one (revision 1)")
		if len(b.writes) != 0 {
			t.Errorf("writes %v", b.writes)
		}
	})
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(b *bench)
		want string
	}{
		"recreate": {func(b *bench) {
			b.changeSpec(func(spec *appsv1.DeploymentSpec) {
				spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
			})
			b.d.Status.ObservedGeneration = b.d.Generation
		}, "strategy Recreate"},
		"paused": {func(b *bench) {
			b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Paused = true })
		}, "is paused"},
		"under way": {func(b *bench) {
			b.breaks = func(*appsv1.ReplicaSet) bool { return true }
			b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:other" })
		}, "already under way"},
		"unknown": {func(b *bench) { b.d = nil }, "there is no deployment"},
		"forbidden": {func(b *bench) {
			b.refuse = func(r *http.Request) error { return onlyFor(r, http.MethodPatch, forbidden()) }
		}, "the right to patch deployments"},
		"forbidden to watch": {func(b *bench) {
			b.refuse = func(r *http.Request) error {
				if strings.HasSuffix(r.URL.Path, "/pods") {
					return forbidden()
				}
				return nil
			}
		}, "the right to list and watch pods is missing"},
		"forbidden to watch, not to list": {func(b *bench) {
			b.refuse = func(r *http.Request) error {
				if r.URL.Query().Get("watch") == "true" {
					return forbidden()
				}
				return nil
			}
		}, "the right to watch "},
		"container": {func(b *bench) {
			b.changeSpec(func(spec *appsv1.DeploymentSpec) {
				spec.Template.Spec.Containers = append(spec.Template.Spec.Containers, spec.Template.Spec.Containers[0])
				spec.Template.Spec.Containers[1].Name = "sidecar"
			})
			b.settle()
		}, "has 2 containers (app, sidecar)"},
		"controller away": {func(b *bench) {
			b.away = true
			b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.RevisionHistoryLimit = new(int32) })
		}, "the Deployment controller has not acted"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() { test.make(b) })
				if name == "under way" {
					<-time.After(time.Second)
				}
				_, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, inSteps)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				for range b.writes {
					if name != "forbidden" {
						t.Errorf("writes %v", b.writes)
					}
				}
			})
		})
	}
}

func onlyFor(request *http.Request, method string, err error) error {
	if request.Method == method {
		return err
	}
	return nil
}

// forbidden is what the API server says where RBAC does not allow a write.
func forbidden() error {
	return apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, worldName,
		errors.New(`User "jane" cannot patch resource "deployments" in API group "apps" in the namespace "shop"`))
}

func TestAConflictIsDecidedAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		conflicts := 0
		b.refuse = func(request *http.Request) error {
			// Every second write meets one of somebody else's, who adds a label.
			if request.Method != http.MethodPatch || !strings.HasSuffix(request.URL.Path, "/deployments/"+worldName) {
				return nil
			}
			if conflicts++; conflicts%2 == 1 {
				next := b.d.DeepCopy()
				next.Labels = map[string]string{"seen": time.Now().String()}
				b.storeDeployment(next)
			}
			return nil
		}
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		b.wantWhole(t, "web:2")
		if b.d.Labels["seen"] == "" {
			t.Error("the other's label is lost")
		}
		plans := 0
		for _, event := range b.events {
			if _, is := event.(PlanEvent); is {
				plans++
			}
		}
		if plans != 1 {
			t.Errorf("the same plan is told %d times", plans)
		}
	})
}

func TestATransientErrorIsRetried(t *testing.T) {
	for name, err := range map[string]error{
		"connection":  errors.New("connection refused"),
		"unavailable": apierrors.NewServiceUnavailable("starting"),
		"internal":    apierrors.NewInternalError(errors.New("etcd has no leader")),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				began := false
				failures := 0
				b.onStep(1, func() { b.change(func() { began = true }) })
				b.refuse = func(request *http.Request) error {
					if began && request.Method == http.MethodPatch && failures < 3 {
						failures++
						return err
					}
					return nil
				}
				wantOutcome(t, b.start(t.Context(), t), Done, "")
				b.wantWhole(t, "web:2")
				if failures != 3 {
					t.Errorf("%d failures", failures)
				}
			})
		})
	}
}

func TestAWriteWhoseAnswerIsLostIsNotRepeatedBlindly(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		began := false
		lost := 0
		b.onStep(1, func() { b.change(func() { began = true }) })
		b.lost = func(*http.Request) bool {
			if began && lost < 5 {
				lost++
				return true
			}
			return false
		}
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		b.wantWhole(t, "web:2")
		if lost == 0 {
			t.Error("no answer was lost")
		}
	})
}

func TestAnAPIServerThatIsAwayForAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			back := time.Now().Add(time.Minute)
			b.change(func() {
				b.cutStreams("", nil)
				b.refuse = func(*http.Request) error {
					if time.Now().Before(back) {
						return errors.New("connect: connection refused")
					}
					return nil
				}
			})
		})
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		b.wantWhole(t, "web:2")
		told := false
		for _, event := range b.events {
			if e, ok := event.(ProgressEvent); ok && strings.Contains(e.Message, "no connection to the API server") {
				told = true
			}
		}
		if !told {
			t.Error("the lost connection was not told")
		}
	})
}

func TestWatchesThatEndAreOpenedAgain(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old resource version").Status()
	for name, last := range map[string][]byte{"closed": nil, "410 Gone": line(watch.Error, expired)} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				cuts := 0
				b.seen = func(Event) {
					cuts++
					b.change(func() { b.cutStreams([]string{"deployments", "replicasets", "pods"}[cuts%3], last) })
				}
				wantOutcome(t, b.start(t.Context(), t), Done, "")
				b.wantWhole(t, "web:2")
			})
		})
	}
}

func TestALostRightEndsTheCommandAfterAGrace(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var from time.Time
		b.onStep(2, func() {
			from = time.Now()
			b.change(func() {
				b.cutStreams("", nil)
				b.refuse = func(*http.Request) error { return forbidden() }
			})
		})
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Failed, "is missing")
		if took := time.Since(from); took < informer.DeniedGrace || took > 2*informer.DeniedGrace {
			t.Errorf("ended after %s", took)
		}
		if !result.Standing || result.Record.Step != 2 {
			t.Errorf("standing %v at %+v", result.Standing, result.Record)
		}
	})
}

func TestARightThatComesBackDoesNotEndTheCommand(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			back := time.Now().Add(informer.DeniedGrace / 2)
			b.change(func() {
				b.cutStreams("", nil)
				b.refuse = func(*http.Request) error {
					if time.Now().Before(back) {
						return forbidden()
					}
					return nil
				}
			})
		})
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		b.wantWhole(t, "web:2")
	})
}

func TestDeletionEndsTheCommand(t *testing.T) {
	for name, remake := range map[string]bool{"deleted": false, "made anew": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.onStep(2, func() {
					b.change(func() {
						gone := b.d
						b.d = nil
						b.send(watch.Deleted, gone)
						if remake {
							b.d = gone.DeepCopy()
							b.d.UID, b.d.ResourceVersion = "another", b.version()
							b.send(watch.Added, b.d)
						}
					})
				})
				wantOutcome(t, b.start(t.Context(), t), Deleted, "was deleted")
			})
		})
	}
}

func TestABrokenVersionIsRolledBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" }
		result := b.start(t.Context(), t)
		wantOutcome(t, result, RolledBack, "")
		b.wantWhole(t, "web:1")
		f := result.Finding
		if f == nil || f.Reason != "CrashLoopBackOff" || f.Container != "app" || f.ExitCode == nil || *f.ExitCode != 1 || len(f.Logs) != 2 {
			t.Errorf("finding %+v", f)
		}
		findings, rollbacks := 0, 0
		for _, event := range b.events {
			switch event.(type) {
			case FindingEvent:
				findings++
			case RollbackEvent:
				rollbacks++
			}
		}
		if findings != 1 || rollbacks != 1 {
			t.Errorf("%d findings, %d rollbacks", findings, rollbacks)
		}
	})
}

func TestInterruptionLeavesItStandingAndAnotherProcessGoesOn(t *testing.T) {
	for name, test := range map[string]struct {
		again func(*Engine, context.Context, string, types.NamespacedName) (*Result, error)
		want  Outcome
		image string
	}{
		"resume": {(*Engine).Resume, Done, "web:2"},
		"abort":  {(*Engine).Abort, RolledBack, "web:1"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				ctx, cancel := context.WithCancelCause(t.Context())
				b.onStep(2, func() { cancel(errors.New("interrupted")) })
				result := b.start(ctx, t)
				wantOutcome(t, result, Detached, "interrupted")
				if !result.Standing || result.Record.Step != 2 {
					t.Errorf("standing %v at %+v", result.Standing, result.Record)
				}
				<-time.After(3 * time.Minute)
				if all, ready := b.podsOf(b.setOf("web:2")); all != 2 || ready != 2 {
					t.Errorf("after a while alone %d new pods, %d ready", all, ready)
				}
				again, err := test.again(b.engine, t.Context(), "Deployment", worldKey)
				if err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, again, test.want, "")
				b.wantWhole(t, test.image)
			})
		})
	}
}

// The first write is made, and nothing has been seen of it yet.
func TestInterruptionRightAfterTheBeginningTellsWhereItStands(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancelCause(t.Context())
		b.onStep(1, func() { cancel(errors.New("interrupted")) })
		result := b.start(ctx, t)
		wantOutcome(t, result, Detached, "interrupted")
		if !result.Standing || result.Record.Step != 1 {
			t.Errorf("standing %v at %+v", result.Standing, result.Record)
		}
	})
}

func TestTimeoutLeavesItStanding(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() { b.breaks = func(*appsv1.ReplicaSet) bool { return true } })
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, ErrTimeout)
		defer cancel()
		wantOutcome(t, b.start(ctx, t), TimedOut, "timed out")
	})
}

func TestNoRolloutIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if _, err := b.engine.Resume(t.Context(), "Deployment", worldKey); !errors.Is(err, ErrNoRollout) {
			t.Errorf("resume: %v", err)
		}
		if _, err := b.engine.Abort(t.Context(), "Deployment", worldKey); !errors.Is(err, ErrNoRollout) {
			t.Errorf("abort: %v", err)
		}
	})
}

func TestAnotherTemplateOvertakesTheRollout(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			b.change(func() {
				b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:3" })
			})
		})
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Overtaken, "to revision 3 where revision 2 was under way")
		again, err := b.engine.Resume(t.Context(), "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, again, Done, "")
		b.wantWhole(t, "web:3")
	})
}

func TestASecondStartIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var second error
		b.onStep(2, func() {
			other := &Engine{LogLines: LogLines, Client: b.engine.Client, Clock: b.engine.Clock, FieldManager: "other"}
			_, second = other.Start(t.Context(), "Deployment", worldKey, Change{Images: []podtemplate.ImageChange{{Image: "web:3"}}}, inSteps)
		})
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		var open *OpenError
		if !errors.As(second, &open) || open.Record.Step != 2 {
			t.Errorf("the second start: %v", second)
		}
		b.wantWhole(t, "web:2")
	})
}

// The checks before a rollout go by what there is, and by what is to come of it.
func TestStartChecksWhatIsToCome(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.quotas = []*corev1.ResourceQuota{{ObjectMeta: metav1.ObjectMeta{Name: "cpu"}, Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{"requests.cpu": resource.MustParse("4")}, Used: corev1.ResourceList{"requests.cpu": resource.MustParse("0")},
		}}}
		change := Change{Rewrite: func(template map[string]any) error {
			return unstructured.SetNestedSlice(template, []any{map[string]any{
				"name": "app", "image": "web:2", "resources": map[string]any{"requests": map[string]any{"cpu": "2"}},
			}}, "spec", "containers")
		}}
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, change, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		for _, event := range b.events {
			if checks, is := event.(CheckEvent); is {
				at := slices.IndexFunc(checks.Results, func(r preflight.Result) bool { return r.ID == preflight.QuotaRoom })
				if r := checks.Results[at]; r.Status != preflight.Warn || !strings.Contains(r.Message, "all 4 new pods take 4 more") {
					t.Errorf("%s %s", r.Status, r.Message)
				}
				return
			}
		}
		t.Error("nothing was checked")
	})
}

// A rollout that is held ends whoever drives it where it is, and goes on when it is resumed.
func TestHeldRolloutStandsUntilResumed(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			if _, err := b.engine.Hold(t.Context(), "Deployment", worldKey); err != nil {
				t.Errorf("hold: %v", err)
			}
		})
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Paused, "held")
		if !result.Standing || !result.Record.Held || result.Record.Step != 2 {
			t.Fatalf("the rollout stands at %+v", result.Record)
		}
		if _, err := b.engine.Hold(t.Context(), "Deployment", worldKey); !errors.Is(err, ErrHeld) {
			t.Errorf("held again: %v", err)
		}
		result, err := b.engine.Resume(t.Context(), "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		b.wantWhole(t, "web:2")
		if _, err := b.engine.Hold(t.Context(), "Deployment", worldKey); !errors.Is(err, ErrNoRollout) {
			t.Errorf("held when done: %v", err)
		}
	})
}
