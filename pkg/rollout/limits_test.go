package rollout

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func limitsOf(surge, unavailable string) Limits {
	return Limits{Surge: intstr.Parse(surge), Unavailable: intstr.Parse(unavailable)}
}

func TestLimitsAt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		surge, unavailable string
		replicas           int32
		want               Resolved
	}{
		{"25%", "25%", 10, Resolved{3, 2}},
		{"25%", "25%", 1, Resolved{1, 0}},
		{"25%", "25%", 3, Resolved{1, 0}},
		{"1", "0", 1, Resolved{1, 0}},
		{"0", "1", 1, Resolved{0, 1}},
		{"0%", "25%", 3, Resolved{0, 1}}, // the controller's fencepost
		{"0", "33%", 3, Resolved{0, 1}},  // 0.99 rounds down, and the fencepost steps in
		{"0", "34%", 3, Resolved{0, 1}},
		{"0", "0", 5, Resolved{0, 1}},
		{"0", "7", 5, Resolved{0, 5}}, // no more can be missing than there are
		{"9", "100%", 5, Resolved{9, 5}},
		{"200%", "0", 5, Resolved{10, 0}},
	} {
		got, err := limitsOf(test.surge, test.unavailable).At(test.replicas)
		if err != nil || got != test.want {
			t.Errorf("%s/%s at %d: got %+v, %v; want %+v", test.surge, test.unavailable, test.replicas, got, err, test.want)
		}
		strategy := settingsWith(intstr.Parse(test.surge), intstr.Parse(test.unavailable), 0).Strategy
		d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &test.replicas, Strategy: strategy}}
		if surge, unavailable := fenceposts(d); surge != got.Surge || unavailable != got.Unavailable {
			t.Errorf("%s/%s at %d: the controller has %d/%d", test.surge, test.unavailable, test.replicas, surge, unavailable)
		}
	}
	for _, bad := range []Limits{limitsOf("many", "1"), limitsOf("1", "few")} {
		if _, err := bad.At(3); err == nil || !strings.Contains(err.Error(), "neither a count nor a percentage") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestLimitsOf(t *testing.T) {
	t.Parallel()
	one := intstr.FromInt32(1)
	for want, strategy := range map[Limits]appsv1.DeploymentStrategy{
		limitsOf("25%", "25%"): {},
		limitsOf("1", "25%"):   {RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &one}},
		limitsOf("25%", "1"):   {RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &one}},
	} {
		if got := LimitsOf(strategy); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := limitsOf("2", "3").Override(&one, nil); got != limitsOf("1", "3") {
		t.Errorf("overridden: %+v", got)
	}
}

// Nought for one limit beside the Deployment's own nought for the other would let a pod be missing that nobody has allowed.
func TestOneLimitThatLeavesNone(t *testing.T) {
	for name, test := range map[string]struct {
		own     Limits
		options StartOptions
		want    string
	}{
		"surge":       {limitsOf("1", "0"), StartOptions{MaxSurge: new(intstr.FromInt32(0))}, "--max-surge: 0 lets no pod be replaced"},
		"in percent":  {limitsOf("1", "0%"), StartOptions{MaxSurge: new(intstr.FromString("0%"))}, "the Deployment's own maxUnavailable is 0%"},
		"unavailable": {limitsOf("0", "1"), StartOptions{MaxUnavailable: new(intstr.FromInt32(0))}, "--max-unavailable: 0 lets no pod be replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.changeSpec(func(spec *appsv1.DeploymentSpec) {
						spec.Strategy = settingsWith(test.own.Surge, test.own.Unavailable, 0).Strategy
					})
				})
				test.options.Steps, test.options.OnFailure = inSteps.Steps, OnFailureRollback
				var option *OptionError
				_, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, test.options)
				if !errors.As(err, &option) || !strings.Contains(err.Error(), test.want) || len(b.writes) != 0 {
					t.Errorf("got %v, writes %v", err, b.writes)
				}
				_, err = b.engine.Check(t.Context(), b.d, CheckOptions{MaxSurge: test.options.MaxSurge, MaxUnavailable: test.options.MaxUnavailable, Lean: true})
				if !errors.As(err, &option) {
					t.Errorf("the checks take it: %v", err)
				}
			})
		})
	}
}

// Earlier versions began a rollout whose limits were both nought. Such a one has to come back, too.
func TestGoingBackWithinNoLimitsAtAll(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" }
		b.onStep(1, func() {
			b.change(func() {
				next := b.d.DeepCopy()
				next.Annotations[Annotation] = strings.Replace(next.Annotations[Annotation], `"unavailable":1`, `"unavailable":0`, 1)
				b.storeDeployment(next)
			})
		})
		options := inSteps
		options.MaxSurge, options.MaxUnavailable = new(intstr.FromInt32(0)), new(intstr.FromInt32(1))
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, RolledBack, "")
		b.wantWhole(t, "web:1")
	})
}
