package rollout

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

func limitsOf(surge, unavailable string) plan.Limits {
	return plan.Limits{Surge: intstr.Parse(surge), Unavailable: intstr.Parse(unavailable)}
}

// Nought for one limit beside the Deployment's own nought for the other would let a pod be missing that nobody has allowed.
func TestOneLimitThatLeavesNone(t *testing.T) {
	for name, test := range map[string]struct {
		own     plan.Limits
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
				test.options.Steps, test.options.OnFailure = inSteps.Steps, plan.OnFailureRollback
				var option *plan.OptionError
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

// stepsOf reads steps as a command line gives them.
func stepsOf(text string) plan.Steps {
	var steps plan.Steps
	for part := range strings.SplitSeq(text, ",") {
		steps = append(steps, intstr.Parse(part))
	}
	return steps
}

func everything() intstr.IntOrString { return intstr.FromString("100%") }

func errorOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func isNought(limit intstr.IntOrString) bool {
	scaled, err := intstr.GetScaledValueFromIntOrPercent(&limit, 100, true)
	return err == nil && scaled == 0
}
