package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// insist writes a strategy whenever the rollout has its own in force, up to a number of times, and returns how often it did.
func (b *bench) insist(most int, strategies ...appsv1.DeploymentStrategy) *int {
	times := new(int)
	b.change(func() {
		b.meddle = func() {
			own := b.d != nil && isGated(b.d) && *times < most
			if want := strategies[min(*times, len(strategies)-1)]; own && !sameStrategy(b.d.Spec.Strategy, want) {
				*times++
				b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Strategy = want })
			}
		}
	})
	return times
}

// Somebody who writes a strategy once is told of. Somebody who insists on it ends the rollout where it stands.
func TestAStrategyThatOthersInsistOn(t *testing.T) {
	wide := settingsWith(intstr.FromInt32(2), intstr.FromInt32(1), 0)
	inBubble(t, func(t *testing.T, b *bench) {
		times := new(int)
		b.onStep(2, func() { times = b.insist(9, wide.Strategy) })
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Overtaken, "2 times by now, last as maxSurge 2, maxUnavailable 1")
		if !result.Standing || result.Record == nil {
			t.Error("it does not stand at its step")
		}
		<-time.After(time.Minute)
		b.change(func() {
			if *times > 3 {
				t.Errorf("they wrote %d times", *times)
			}
			b.meddle = nil
		})
		result, err := b.engine.Resume(t.Context(), "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		b.wantLeft(t, "web:2", wide)
	})
}

// Whoever writes another strategy each time does not keep a rollout fighting for ever either.
func TestStrategiesThatOthersKeepWriting(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var all []appsv1.DeploymentStrategy
		for i := range int32(9) {
			all = append(all, settingsWith(intstr.FromInt32(2+i), intstr.FromInt32(0), 0).Strategy)
		}
		b.onStep(1, func() { b.insist(9, all...) })
		wantOutcome(t, b.start(t.Context(), t), Overtaken, fmt.Sprintf("%d times by now", mostRewrites))
		b.change(func() { b.meddle = nil })
		result, err := b.engine.Abort(t.Context(), "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, RolledBack, "")
	})
}

// The template that comes back by others has a cause.
func TestATemplateThatOthersSetBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			b.change(func() {
				b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:1" })
			})
		})
		wantOutcome(t, b.start(t.Context(), t), RolledBack, "the pod template was set back")
	})
}

func TestRewrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var r rewrites
		seen := map[string]int{}
		for move := range rapid.IntRange(1, 9).Draw(t, "writes") {
			value := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "value")
			var often bool
			for range rapid.IntRange(1, 3).Draw(t, "looks") {
				r, often = r.with(move+1, value)
			}
			seen[value]++
			if want := seen[value] >= mostAlike || move+1 >= mostRewrites; often != want {
				t.Fatalf("after %d writes, %d of %s: %v", move+1, seen[value], value, often)
			}
		}
		if strings.Join(r.values, "") == "" {
			t.Fatal("nothing is counted")
		}
	})
}

// Whoever made a workload a moment ago owns a part of its strategy in the same second as whoever changed it.
func TestStrategyWriter(t *testing.T) {
	t.Parallel()
	const (
		madeIt    = `{"f:spec":{"f:strategy":{"f:type":{},"f:rollingUpdate":{".":{},"f:maxUnavailable":{}}}}}`
		bothRates = `{"f:spec":{"f:strategy":{"f:rollingUpdate":{"f:maxSurge":{},"f:maxUnavailable":{}}}}}`
		surge     = `{"f:spec":{"f:strategy":{"f:rollingUpdate":{"f:maxSurge":{}}}}}`
		kind      = `{"f:spec":{"f:strategy":{"f:type":{}}}}`
	)
	ours := settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0).Strategy
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Strategy: ours}}
	record := &Record{Gate: &Opening{Limits: plan.LimitsOf(ours), Move: 1}}
	wider := settingsWith(intstr.FromInt32(3), intstr.FromInt32(0), 0).Strategy
	for name, test := range map[string]struct {
		strategy appsv1.DeploymentStrategy
		managers []metav1.ManagedFieldsEntry
		want     string
	}{
		"the field that changed": {wider, []metav1.ManagedFieldsEntry{managerEntry("maker", 5, madeIt), managerEntry("gitops", 5, surge)}, " by gitops at "},
		"whichever comes first":  {wider, []metav1.ManagedFieldsEntry{managerEntry("gitops", 5, surge), managerEntry("maker", 5, madeIt)}, " by gitops at "},
		"of two, the later one":  {wider, []metav1.ManagedFieldsEntry{managerEntry("gitops", 6, bothRates), managerEntry("maker", 5, surge)}, " by gitops at "},
		"of two in one second":   {wider, []metav1.ManagedFieldsEntry{managerEntry("gitops", 5, bothRates), managerEntry("maker", 5, surge)}, ""},
		"another type": {
			appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			[]metav1.ManagedFieldsEntry{managerEntry("gitops", 5, kind), managerEntry("maker", 5, surge)},
			" by gitops at ",
		},
	} {
		d := d.DeepCopy()
		d.Spec.Strategy, d.ManagedFields = test.strategy, test.managers
		if got := strategyWriter(d, record); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: %q, not %q", name, got, test.want)
		}
	}
}

// managerEntry is an entry of managedFields.
func managerEntry(name string, seconds int64, fields string) metav1.ManagedFieldsEntry {
	at := metav1.Unix(1_700_000_000+seconds, 0)
	entry := metav1.ManagedFieldsEntry{Manager: name, Operation: metav1.ManagedFieldsOperationUpdate, Time: &at, FieldsV1: &metav1.FieldsV1{}}
	entry.FieldsV1.SetRawBytes([]byte(fields))
	return entry
}
