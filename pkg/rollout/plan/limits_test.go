package plan

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// fenceposts are maxSurge and maxUnavailable as the Deployment controller resolves them.
func fenceposts(maxSurge, maxUnavailable intstr.IntOrString, replicas int32) (surge, unavailable int32) {
	up, _ := intstr.GetScaledValueFromIntOrPercent(&maxSurge, int(replicas), true)
	down, _ := intstr.GetScaledValueFromIntOrPercent(&maxUnavailable, int(replicas), false)
	if up == 0 && down == 0 {
		down = 1
	}
	return int32(up), min(int32(down), replicas)
}

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
		{"25%", "25%", 10, Resolved{Surge: 3, Unavailable: 2}},
		{"25%", "25%", 1, Resolved{Surge: 1, Unavailable: 0}},
		{"25%", "25%", 3, Resolved{Surge: 1, Unavailable: 0}},
		{"1", "0", 1, Resolved{Surge: 1, Unavailable: 0}},
		{"0", "1", 1, Resolved{Surge: 0, Unavailable: 1}},
		{"0%", "25%", 3, Resolved{Surge: 0, Unavailable: 1}}, // the controller's fencepost
		{"0", "33%", 3, Resolved{Surge: 0, Unavailable: 1}},  // 0.99 rounds down, and the fencepost steps in
		{"0", "34%", 3, Resolved{Surge: 0, Unavailable: 1}},
		{"0", "0", 5, Resolved{Surge: 0, Unavailable: 1}},
		{"0", "7", 5, Resolved{Surge: 0, Unavailable: 5}}, // no more can be missing than there are
		{"9", "100%", 5, Resolved{Surge: 9, Unavailable: 5}},
		{"200%", "0", 5, Resolved{Surge: 10, Unavailable: 0}},
	} {
		got, err := limitsOf(test.surge, test.unavailable).At(test.replicas)
		if err != nil || got != test.want {
			t.Errorf("%s/%s at %d: got %+v, %v; want %+v", test.surge, test.unavailable, test.replicas, got, err, test.want)
		}
		surge, unavailable := fenceposts(intstr.Parse(test.surge), intstr.Parse(test.unavailable), test.replicas)
		if surge != got.Surge || unavailable != got.Unavailable {
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
