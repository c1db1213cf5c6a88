package printers

import (
	"bytes"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	deployment := &appsv1.Deployment{
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](8)},
		Status: appsv1.DeploymentStatus{
			Replicas: 9, UpdatedReplicas: 2, ReadyReplicas: 7, AvailableReplicas: 6,
			Conditions: []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability.",
			}},
		},
	}
	steps := plan.Steps{intstr.FromInt32(1), intstr.FromString("25%"), intstr.FromString("100%")}
	daemonSet := &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{
		DesiredNumberScheduled: 5, CurrentNumberScheduled: 5, UpdatedNumberScheduled: 5, NumberReady: 5, NumberAvailable: 5,
	}}
	// Two of its six pods keep their version by its own partition: the steps are of the other four.
	set := &appsv1.StatefulSet{
		Spec:   appsv1.StatefulSetSpec{Replicas: ptr.To[int32](6)},
		Status: appsv1.StatefulSetStatus{Replicas: 6, UpdatedReplicas: 1, ReadyReplicas: 6, AvailableReplicas: 6},
	}
	partitioned := &rollout.Record{
		Step: 2, Plan: plan.Plan{Steps: plan.Steps{intstr.FromInt32(1), intstr.FromString("50%"), intstr.FromString("100%")}},
		Update: &rollout.Update{Strategy: []byte(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`), Partition: ptr.To[int32](4)},
	}
	agent := Object{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "shop", Name: "agent"}
	for name, status := range map[string]*Status{
		"status-standing.json": {
			Object: Deployment("shop", "web"), Phase: workload.Standing, Revision: 5, Message: "step 2 of 3",
			View: &rollout.View{Workload: deployment, State: rollout.Open, Record: &rollout.Record{Step: 2, Plan: plan.Plan{Steps: steps}}},
		},
		"status-partition.json": {
			Object: Object{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "shop", Name: "db"}, Phase: workload.Progressing, Revision: 2,
			Message: "step 2 of 3", View: &rollout.View{Workload: set, State: rollout.Open, Record: partitioned},
		},
		"status-failed.json": {
			Object: Deployment("shop", "web"), Phase: workload.PhaseFailed, Revision: 5, Message: `deployment "web": the rollout failed`,
			View: &rollout.View{Workload: deployment, Finding: crash()},
		},
		"status-complete.json": {
			Object: agent, Phase: workload.Complete, Message: `daemon set "agent" successfully rolled out`, View: &rollout.View{Workload: daemonSet},
		},
		"status-unknown.json": {Object: agent, Phase: workload.PhaseUnknown, Message: `daemonsets.apps "agent" is forbidden`},
	} {
		var out bytes.Buffer
		WriteStatus(&out, status)
		golden(t, name, out.Bytes())
	}
}
