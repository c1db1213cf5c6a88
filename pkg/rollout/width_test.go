package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

func TestNextGate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		target, ready int32
		limits        plan.Resolved
		want          Width
	}{
		{2, 0, plan.Resolved{Surge: 2, Unavailable: 0}, Width{2, 0}}, // the case of the design file: surge first
		{2, 2, plan.Resolved{Surge: 2, Unavailable: 0}, Width{0, 2}},
		{4, 2, plan.Resolved{Surge: 2, Unavailable: 0}, Width{2, 2}},
		{4, 4, plan.Resolved{Surge: 2, Unavailable: 0}, Width{0, 4}},
		{1, 0, plan.Resolved{Surge: 1, Unavailable: 0}, Width{1, 0}},
		{1, 0, plan.Resolved{Surge: 0, Unavailable: 1}, Width{0, 1}},
		{4, 0, plan.Resolved{Surge: 1, Unavailable: 1}, Width{1, 1}},
		{4, 1, plan.Resolved{Surge: 1, Unavailable: 1}, Width{1, 2}},
		{4, 3, plan.Resolved{Surge: 1, Unavailable: 1}, Width{0, 4}},
		{3, 0, plan.Resolved{Surge: 9, Unavailable: 9}, Width{0, 3}},
	} {
		if got := NextWidth(test.target, test.ready, test.limits); got != test.want {
			t.Errorf("to %d with %d ready, %+v: got %+v, want %+v", test.target, test.ready, test.limits, got, test.want)
		}
	}
}

func TestNextGateKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for target := int32(1); target <= 12; target++ {
		for ready := int32(0); ready <= target; ready++ {
			for surge := int32(0); surge <= 4; surge++ {
				for unavailable := int32(0); unavailable <= 4; unavailable++ {
					if surge+unavailable == 0 {
						continue
					}
					gate := NextWidth(target, ready, plan.Resolved{Surge: surge, Unavailable: unavailable})
					if gate.New() > target || gate.New() < 1 || gate.Surge > surge || gate.Unavailable > ready+unavailable ||
						ready < target && gate.New() <= ready || ready == target && gate != (Width{0, target}) {
						t.Fatalf("to %d with %d ready and %d/%d: %+v", target, ready, surge, unavailable, gate)
					}
				}
			}
		}
	}
}

// TestStrategyMeansTheGate is exact for every gate up to 200 replicas: what the controller makes of the strategy are
// the very numbers of the gate, whether they are written as counts or as percentages.
func TestStrategyMeansTheGate(t *testing.T) {
	t.Parallel()
	for replicas := int32(1); replicas <= 200; replicas++ {
		d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &replicas}}
		for count := range replicas + 1 {
			for _, limits := range []plan.Limits{limitsOf("25%", "25%"), limitsOf("1", "1")} {
				for _, gate := range []Width{{Surge: count, Unavailable: 1}, {Surge: 1, Unavailable: count}} {
					d.Spec.Strategy = gate.Strategy(replicas, limits)
					surge, unavailable := fenceposts(d)
					read, err := widthOf(d)
					if surge != gate.Surge || unavailable != gate.Unavailable || read != gate || err != nil {
						t.Fatalf("%+v of %d is written as %s: %d/%d, read back as %+v, %v",
							gate, replicas, limitsText(plan.LimitsOf(d.Spec.Strategy)), surge, unavailable, read, err)
					}
				}
			}
		}
	}
}

func TestStrategyIsInPercentWhereItCanBe(t *testing.T) {
	t.Parallel()
	for replicas := int32(1); replicas <= 100; replicas++ {
		for count := int32(1); count <= replicas; count++ {
			ru := Width{Surge: count, Unavailable: count}.Strategy(replicas, limitsOf("25%", "0")).RollingUpdate
			if ru.MaxSurge.Type != intstr.String || ru.MaxUnavailable.Type != intstr.String {
				t.Fatalf("%d of %d is written as %s, %s", count, replicas, ru.MaxSurge, ru.MaxUnavailable)
			}
		}
	}
	ru := Width{Surge: 2, Unavailable: 0}.Strategy(8, limitsOf("2", "0")).RollingUpdate
	if ru.MaxSurge.String() != "2" || ru.MaxUnavailable.String() != "0" {
		t.Errorf("a surge that is a count stays one, and nought is nought: %s, %s", ru.MaxSurge, ru.MaxUnavailable)
	}
}

func TestRestingGate(t *testing.T) {
	t.Parallel()
	for target, want := range map[int32]Width{1: {0, 1}, 2: {0, 2}, 9: {0, 3}} {
		if got := RestingWidth(target, plan.Resolved{Surge: 1, Unavailable: 3}); got != want {
			t.Errorf("at %d: got %+v, want %+v", target, got, want)
		}
	}
	if got := RestingWidth(5, plan.Resolved{Surge: 1, Unavailable: 0}); got != (Width{0, 1}) {
		t.Errorf("the controller takes a gate of nothing for one pod, so that it is one: %+v", got)
	}
}

// Every old pod that is gone has made room for a new one, which is not made twice.
func TestAGateAfterOldPodsHaveGone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		gate         Width
		target, gone int32
		want         Width
	}{
		{Width{1, 3}, 4, 3, Width{1, 3}},
		{Width{1, 3}, 4, 4, Width{0, 3}}, // a new pod of four is not ready any more, and four old ones are gone
		{Width{1, 0}, 1, 1, Width{0, 1}}, // the only new pod is not, and no pod may be missing
		{Width{2, 4}, 8, 7, Width{1, 4}},
		{Width{1, 1}, 2, 5, Width{0, 1}}, // replicas have changed
	} {
		if got := test.gate.within(test.target, test.gone); got != test.want {
			t.Errorf("%+v to %d with %d gone: got %+v, want %+v", test.gate, test.target, test.gone, got, test.want)
		}
	}
}
