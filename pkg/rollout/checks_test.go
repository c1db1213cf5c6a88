package rollout

import (
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func TestLimitsOfOtherKinds(t *testing.T) {
	t.Parallel()
	limit := func(value string) *intstr.IntOrString {
		if value == "" {
			return nil
		}
		return ptr.To(intstr.Parse(value))
	}
	set := func(kind appsv1.StatefulSetUpdateStrategyType, unavailable string) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](5), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			Type: kind, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: limit(unavailable)},
		}}}
	}
	daemon := func(surge, unavailable string) *appsv1.DaemonSet {
		return &appsv1.DaemonSet{
			Spec: appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxSurge: limit(surge), MaxUnavailable: limit(unavailable)},
			}},
			Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 5},
		}
	}
	onDelete := daemon("", "")
	onDelete.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	for _, test := range []struct {
		workload           workload.Object
		surge, unavailable string
		want               plan.Resolved
		option             string
	}{
		{set("RollingUpdate", ""), "", "", plan.Resolved{Surge: 0, Unavailable: 1}, ""},
		{set("RollingUpdate", "30%"), "", "", plan.Resolved{Surge: 0, Unavailable: 1}, ""},
		{set("RollingUpdate", "50%"), "", "", plan.Resolved{Surge: 0, Unavailable: 2}, ""},
		{set("RollingUpdate", "30%"), "", "9", plan.Resolved{Surge: 0, Unavailable: 5}, ""},
		{set("RollingUpdate", ""), "1", "", plan.Resolved{}, "max-surge"},
		{set("RollingUpdate", ""), "", "0", plan.Resolved{}, "max-unavailable"},
		{set("OnDelete", ""), "", "", plan.Resolved{}, ""},
		{set("Recreate", ""), "", "", plan.Resolved{Surge: 0, Unavailable: 5}, ""},
		{daemon("", ""), "", "", plan.Resolved{Surge: 0, Unavailable: 1}, ""},
		{daemon("0", "30%"), "", "", plan.Resolved{Surge: 0, Unavailable: 2}, ""},
		{daemon("30%", "0"), "", "", plan.Resolved{Surge: 2, Unavailable: 0}, ""},
		{daemon("0", "1"), "2", "", plan.Resolved{Surge: 2, Unavailable: 0}, ""},
		{daemon("2", "0"), "", "3", plan.Resolved{Surge: 0, Unavailable: 3}, ""},
		{daemon("", ""), "1", "1", plan.Resolved{}, "max-surge, --max-unavailable"},
		{daemon("", ""), "", "0", plan.Resolved{}, "max-unavailable"},
		{onDelete, "", "", plan.Resolved{}, ""},
	} {
		got, err := limitsOfWorkload(test.workload, limit(test.surge), limit(test.unavailable))
		var option *plan.OptionError
		if errors.As(err, &option); err != nil && option.Option != test.option || (err != nil) != (test.option != "") || err == nil && got != test.want {
			t.Errorf("%T with %q and %q: got %+v, %v", test.workload, test.surge, test.unavailable, got, err)
		}
	}
}
