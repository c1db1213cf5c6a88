package rollout

import (
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// An admission policy may change what a rollout relies on. Then nothing is begun, or what was begun is taken back at once.
func TestAWriteThatIsAltered(t *testing.T) {
	own := settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0)
	for name, test := range map[string]struct {
		mutate func(d *appsv1.Deployment)
		field  string
	}{
		"the record": {
			func(d *appsv1.Deployment) { delete(d.Annotations, Annotation) },
			"metadata.annotations[rollout-plus/rollout] was removed",
		},
		"the image": {
			func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "web:1" },
			`spec.template.spec.containers[app].image was stored as "web:1" instead of "web:2"`,
		},
		"minReadySeconds": {
			func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = min(d.Spec.MinReadySeconds, 60) },
			"spec.minReadySeconds was stored as 60 instead of 2147483646",
		},
		"the strategy": {
			func(d *appsv1.Deployment) {
				d.Spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromString("75%"))
			},
			`spec.strategy.rollingUpdate.maxUnavailable was stored as "75%"`,
		},
	} {
		for _, inDryRun := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, b *bench) {
					b.change(func() {
						b.mutate = func(d *appsv1.Deployment, dryRun bool) {
							if inDryRun || !dryRun {
								test.mutate(d)
							}
							if !dryRun {
								b.mutate = nil
							}
						}
					})
					_, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, inSteps)
					var altered *admission.AlteredError
					after := map[bool]string{true: "; nothing was written", false: "; the write was taken back at once"}[inDryRun]
					if !errors.As(err, &altered) || !strings.Contains(err.Error(), test.field) || !strings.Contains(err.Error(), after) {
						t.Fatalf("got %v", err)
					}
					if wrote := slices.Contains(b.writes, "deployments"); wrote == inDryRun {
						t.Errorf("writes %v", b.writes)
					}
					b.wantLeft(t, "web:1", own)
				})
			})
		}
	}
}

// Most policies change what does not matter to a rollout.
func TestAWriteThatIsAlteredHarmlessly(t *testing.T) {
	for name, mutate := range map[string]func(d *appsv1.Deployment){
		"a mirror": func(d *appsv1.Deployment) {
			if c := &d.Spec.Template.Spec.Containers[0]; !strings.HasPrefix(c.Image, "mirror/") {
				c.Image = "mirror/" + c.Image
			}
		},
		"a label":      func(d *appsv1.Deployment) { d.Labels = map[string]string{"team": "blue"} },
		"a toleration": func(d *appsv1.Deployment) { d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: "spot"}} },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() { b.mutate = func(d *appsv1.Deployment, _ bool) { mutate(d) } })
				wantOutcome(t, b.start(t.Context(), t), Done, "")
			})
		})
	}
}

// A policy that comes in mid-rollout, and takes the record or the gate from it, sends it back to the old version with its cause.
func TestALaterWriteThatIsAltered(t *testing.T) {
	own := settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0)
	for name, mutate := range map[string]func(d *appsv1.Deployment){
		"the record":   func(d *appsv1.Deployment) { delete(d.Annotations, Annotation) },
		"the strategy": func(d *appsv1.Deployment) { d.Spec.Strategy.RollingUpdate.MaxSurge = new(intstr.FromInt32(2)) },
	} {
		for _, failure := range []plan.OnFailure{plan.OnFailureRollback, plan.OnFailureHold} {
			t.Run(name+", "+string(failure), func(t *testing.T) {
				inBubble(t, func(t *testing.T, b *bench) {
					b.onStep(2, func() {
						b.change(func() {
							b.mutate = func(d *appsv1.Deployment, _ bool) {
								if isGated(d) {
									mutate(d)
								}
							}
						})
					})
					options := inSteps
					options.OnFailure = failure
					result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
					if err != nil {
						t.Fatal(err)
					}
					wantOutcome(t, result, RolledBack, "an admission policy or webhook changes what is written: ")
					b.wantLeft(t, "web:1", own)
				})
			})
		}
	}
}
