package rollout

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// TestAnotherTemplateOnAHeldRollout holds a rollout at a random moment and sets another template: no more pods go than the
// limits allow, but for the one that the controller takes where neither an extra nor a missing pod is left to allow.
func TestAnotherTemplateOnAHeldRollout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawScenario(t)
		c.Broken, c.BrokenOld, c.Kills = 0, 0, 0
		r := newRun(t, c)
		limits, err := plan.LimitsOf(c.Own.Strategy).Override(c.Options.MaxSurge, c.Options.MaxUnavailable).At(c.Replicas)
		if err != nil {
			t.Fatalf("%v", err)
		}
		r.check = func(*run) {}
		if err := r.client.start(Change{Images: []podtemplate.ImageChange{{Image: "web:2"}}}, c.Options); err != nil {
			return
		}
		for range rapid.IntRange(0, 400).Draw(t, "events") {
			if r.event(); r.over() {
				return
			}
		}
		r.w.control()
		if _, err := r.client.engine.Hold(context.Background(), "Deployment", worldKey); err != nil {
			if errors.Is(err, ErrNoRollout) || strings.Contains(err.Error(), "cannot be held") {
				return
			}
			t.Fatalf("%v", err)
		}
		before := r.w.String()
		r.w.control()
		for _, rs := range r.w.sets {
			if all, _ := r.w.podsOf(rs); all != *rs.Spec.Replicas {
				r.failf("it does not stand still: %s", before)
			}
		}
		floor := c.Replicas - max(limits.Unavailable, 1)
		r.w.deleted = func(pod *corev1.Pod) {
			if r.note("controller deletes %s", pod.Name); podReady(pod) && r.w.ready()-1 < floor {
				r.failf("%d ready where at least %d must be", r.w.ready()-1, floor)
			}
		}
		r.w.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:3" })
		r.note("another template")
		r.w.settle()
	})
}

// Who stops driving a rollout leaves it at rest, so that another template does not take all the new pods at once.
func TestAStandingRolloutIsAtRest(t *testing.T) {
	for _, name := range []string{"interrupted", "held", "failed"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() { b.scale(8) })
				ctx, cancel := context.WithCancelCause(t.Context())
				b.onStep(3, func() {
					switch name {
					case "interrupted":
						cancel(errors.New(name))
					case "held":
						if _, err := b.engine.Hold(ctx, "Deployment", worldKey); err != nil {
							t.Error(err)
						}
					default:
						b.change(func() { b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" } })
					}
				})
				options := StartOptions{Steps: plan.Steps{intstr.FromInt32(1), intstr.FromInt32(5), everything()}, OnFailure: plan.OnFailureHold}
				result, err := b.engine.Start(ctx, "Deployment", worldKey, newImage, options)
				if err != nil || !result.Standing {
					t.Fatalf("%+v, %v", result, err)
				}
				b.change(func() {
					b.settle()
					gate, err := widthOf(b.d)
					if all, _ := b.podsOf(b.setOf("web:2")); err != nil || gate.Unavailable > 1 || all < 5 {
						t.Errorf("it stands with %+v, %d new pods, %v", gate, all, err)
					}
					b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:3" })
					b.control()
					if ready := b.ready(); ready < 7 {
						t.Errorf("%d of 8 are ready", ready)
					}
				})
			})
		})
	}
}

// What does not stand still cannot be held, and is not said to be.
func TestWhatMovesIsNotHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var held error
		b.refuse = func(request *http.Request) error {
			if request.Method == http.MethodPatch && held == nil && strings.Contains(b.d.Annotations[Annotation], `"ungated":true`) {
				held = errors.New((deploymentGate{}).moves(b.d, Open))
			}
			return nil
		}
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		if held == nil || !strings.Contains(held.Error(), "nothing left to hold back") {
			t.Errorf("got %v", held)
		}
	})
}

func TestAGateThatOthersOpenedIsNotHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancelCause(t.Context())
		b.onStep(2, func() { cancel(errors.New("interrupted")) })
		wantOutcome(t, b.start(ctx, t), Detached, "interrupted")
		b.change(func() { b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.MinReadySeconds = 0 }) })
		if _, err := b.engine.Hold(t.Context(), "Deployment", worldKey); err == nil || !strings.Contains(err.Error(), "cannot be held at its step") {
			t.Errorf("got %v", err)
		}
	})
}

// A Deployment may have no deadline for good, which is no reason to ask for more rights than kubectl.
func TestWhetherARolloutIsOpenWithoutTheRightToListReplicaSets(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(d *appsv1.Deployment)
		nothing bool
	}{
		"nothing borrowed":  {func(*appsv1.Deployment) {}, true},
		"no deadline":       {func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(GateProgressDeadlineSeconds)) }, true},
		"a gate":            {func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = GateMinReadySeconds }, false},
		"a record of sorts": {func(d *appsv1.Deployment) { d.Annotations = map[string]string{Annotation: "{}"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.away, b.d = true, b.d.DeepCopy()
					test.change(b.d)
					b.refuse = func(request *http.Request) error {
						if !strings.HasSuffix(request.URL.Path, "/replicasets") {
							return nil
						}
						return apierrors.NewForbidden(appsv1.Resource("replicasets"), "", errors.New("no"))
					}
				})
				if err := b.engine.Opened(t.Context(), "Deployment", worldKey); errors.Is(err, ErrNoRollout) != test.nothing || apierrors.IsForbidden(err) == test.nothing {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
