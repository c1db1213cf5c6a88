package rollout

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// wantLeft checks that the Deployment is complete and has these settings, and nothing of a rollout.
func (b *bench) wantLeft(t *testing.T, image string, want Settings) {
	t.Helper()
	<-time.After(time.Minute)
	b.change(func() {
		if got := SettingsOf(b.d); !apiequality.Semantic.DeepEqual(got, want) {
			t.Errorf("the Deployment is left with %+v, not %+v", got, want)
		}
		if all, ready := b.podsOf(b.setOf(image)); all != 4 || ready != 4 || len(b.pods) != 4 || imageOfTemplate(b.d) != image {
			t.Errorf("%d pods, %d of them of %s, %d ready", len(b.pods), all, image, ready)
		}
		if b.d.Annotations[Annotation] != "" {
			t.Errorf("left with %s", b.d.Annotations[Annotation])
		}
	})
}

// Whoever sets what a manifest says of a Deployment opens the gate, and leaves the gate's strategy where it says nothing of
// that. The Deployment gets its own one back, whether the one who drives the rollout is there to do it or comes later.
func TestAGateThatOthersOpen(t *testing.T) {
	own, applied := settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0), settingsWith(intstr.FromInt32(2), intstr.FromInt32(1), 0)
	for name, test := range map[string]struct {
		set  func(spec *appsv1.DeploymentSpec)
		want func() Settings
	}{
		"minReadySeconds and the deadline": {
			func(spec *appsv1.DeploymentSpec) {
				spec.MinReadySeconds, spec.ProgressDeadlineSeconds = 0, ptr.To[int32](600)
			},
			func() Settings { return own },
		},
		"minReadySeconds": {func(spec *appsv1.DeploymentSpec) { spec.MinReadySeconds = 0 }, func() Settings { return own }},
		"other values": {
			func(spec *appsv1.DeploymentSpec) {
				spec.MinReadySeconds, spec.ProgressDeadlineSeconds = 0, ptr.To[int32](700)
			},
			func() Settings {
				want := own
				want.ProgressDeadlineSeconds = ptr.To[int32](700)
				return want
			},
		},
		"all of them": {
			func(spec *appsv1.DeploymentSpec) {
				spec.MinReadySeconds, spec.ProgressDeadlineSeconds, spec.Strategy = 0, ptr.To[int32](600), applied.Strategy
			},
			func() Settings { return applied },
		},
		"more than the deadline": {func(spec *appsv1.DeploymentSpec) { spec.MinReadySeconds = 900 }, func() Settings { return own }},
	} {
		t.Run(name+", driven", func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.onStep(2, func() { b.change(func() { b.changeSpec(test.set) }) })
				result := b.start(t.Context(), t)
				if name == "all of them" {
					wantOutcome(t, result, Done, "")
				} else {
					wantOutcome(t, result, Overtaken, "the strategy is the Deployment's own again")
				}
				b.change(func() {
					if got, want := b.d.Spec.Strategy, test.want().Strategy; !sameStrategy(got, want) {
						t.Errorf("left with the strategy %+v", got)
					}
				})
				if result.Standing { // for the deadline alone
					if _, err := b.engine.Resume(t.Context(), "Deployment", worldKey); err != nil {
						t.Error(err)
					}
				}
				b.wantLeft(t, "web:2", test.want())
			})
		})
		t.Run(name+", standing", func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				ctx, cancel := context.WithCancelCause(t.Context())
				b.onStep(2, func() {
					// It has no time to leave the rollout at rest.
					b.change(func() {
						b.refuse = func(r *http.Request) error { return onlyFor(r, http.MethodPatch, errors.New("killed")) }
					})
					cancel(errors.New("interrupted"))
				})
				wantOutcome(t, b.start(ctx, t), Detached, "interrupted")
				<-time.After(time.Minute)
				b.change(func() {
					b.refuse = nil
					b.changeSpec(test.set)
				})
				if _, err := b.engine.Resume(t.Context(), "Deployment", worldKey); err != nil && (name != "all of them" || !errors.Is(err, ErrNoRollout)) {
					t.Fatal(err)
				}
				want := test.want()
				if name == "all of them" {
					b.change(func() { b.d.Annotations[Annotation] = "" }) // a copy that does no harm
				}
				b.wantLeft(t, "web:2", want)
			})
		})
	}
}

// A strategy that others set in mid-rollout does not hold the rollout up. It is the one that the Deployment has in the end.
func TestAStrategyThatOthersSet(t *testing.T) {
	for name, breaks := range map[string]bool{"done": false, "rolled back": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				theirs := settingsWith(intstr.FromInt32(2), intstr.FromInt32(1), 0)
				b.onStep(2, func() {
					b.change(func() {
						b.breaks = func(rs *appsv1.ReplicaSet) bool { return breaks && imageOf(rs) == "web:2" }
						b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Strategy = theirs.Strategy })
					})
				})
				result := b.start(t.Context(), t)
				if breaks {
					wantOutcome(t, result, RolledBack, "")
					b.wantLeft(t, "web:1", theirs)
				} else {
					wantOutcome(t, result, Done, "")
					b.wantLeft(t, "web:2", theirs)
				}
				told := false
				for _, event := range b.events {
					e, is := event.(ProgressEvent)
					told = told || is && strings.Contains(e.Message, "comes into force when the rollout ends")
				}
				if !breaks && !told {
					t.Error("it is not told what becomes of it")
				}
				if a := result.Availability; a.Lowest < 4 {
					t.Errorf("lowest ready %d", a.Lowest)
				}
			})
		})
	}
}

// A last step that has left its gate holds nothing back: another template is not to be left without a deadline.
func TestAnotherTemplateInAStepWithoutAGate(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		changed := false
		b.refuse = func(request *http.Request) error {
			if request.Method == http.MethodPatch && !changed && strings.Contains(b.d.Annotations[Annotation], `"ungated":true`) {
				changed = true
				b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:3" })
			}
			return nil
		}
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Overtaken, "nothing held it at its last step any more")
		if result.Standing {
			t.Error("it stands")
		}
		b.wantLeft(t, "web:3", settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0))
	})
}

func TestTakingWhatOthersHaveSet(t *testing.T) {
	t.Parallel()
	one, two := settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 3), settingsWith(intstr.FromInt32(2), intstr.FromInt32(0), 7)
	final := two
	begun := Record{Original: one, Final: &final, Plan: plan.Plan{Limits: limitsOf("2", "0")}}
	begun.opens(Width{Surge: 1}.Strategy(8, begun.Plan.Limits))
	left, returning, early := begun, begun, begun
	left.Ungated, returning.RollingBack, early.Gate = true, true, nil
	for name, record := range map[string]Record{"gated": begun, "has left": left, "returns": returning, "of an earlier version": early} {
		d := &appsv1.Deployment{}
		set := func(s Settings) {
			d.Spec.Strategy, d.Spec.MinReadySeconds, d.Spec.ProgressDeadlineSeconds = s.Strategy, s.MinReadySeconds, s.ProgressDeadlineSeconds
		}
		set(rollingGate(&record))
		if got := record.taking(d); !apiequality.Semantic.DeepEqual(got.Original, one) || !apiequality.Semantic.DeepEqual(*got.Final, two) {
			t.Errorf("%s: its own settings are taken for others': %+v, %+v", name, got.Original, got.Final)
		}
		d.Spec.MinReadySeconds = 9
		if got := record.taking(d); got.Original.MinReadySeconds != 9 || got.Final.MinReadySeconds != 9 || record.Original.MinReadySeconds != 3 {
			t.Errorf("%s: somebody's minReadySeconds became %d, %d", name, got.Original.MinReadySeconds, got.Final.MinReadySeconds)
		}
		d.Spec.MinReadySeconds = 600
		if got := record.taking(d); got.Original.MinReadySeconds != 3 || got.Final.MinReadySeconds != 7 {
			t.Errorf("%s: what is not below the deadline was taken: %d, %d", name, got.Original.MinReadySeconds, got.Final.MinReadySeconds)
		}
	}
}

// rollingGate is what a record writes.
func rollingGate(record *Record) Settings {
	return record.inForce(&appsv1.Deployment{Spec: appsv1.DeploymentSpec{Strategy: Width{Unavailable: 2}.Strategy(8, record.Plan.Limits)}})
}
