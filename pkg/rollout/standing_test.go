package rollout

import (
	"context"
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// What an abort is to write besides goes with the old template in one write.
func TestAnAbortAnnotates(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() {
			b.d = b.d.DeepCopy()
			b.d.Annotations = map[string]string{workload.ChangeCauseAnnotation: "new", "gone": "soon"}
			b.breaks = func(*appsv1.ReplicaSet) bool { return true }
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		b.onStep(1, func() { cancel(errors.New("interrupted")) })
		wantOutcome(t, b.start(ctx, t), Detached, "interrupted")
		writes := len(b.writes)
		b.engine.Annotations = func(live map[string]string, template map[string]any) map[string]string {
			return map[string]string{workload.ChangeCauseAnnotation: live["gone"] + " " + podtemplate.Template(template).Containers("containers")[0]["image"].(string), "gone": ""}
		}
		result, err := b.engine.Abort(t.Context(), "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, RolledBack, "")
		b.wantWhole(t, "web:1")
		if has := b.d.Annotations; has[workload.ChangeCauseAnnotation] != "soon web:1" || has["gone"] != "" {
			t.Errorf("the annotations are %v", has)
		}
		if b.writes[writes] != "deployments" || len(b.writes) > writes+1 && b.writes[writes+1] == "deployments" {
			t.Errorf("it writes %q", b.writes[writes:])
		}
	})
}

// The controller takes no annotation from a ReplicaSet that it uses again.
func TestAnAbortTakesACauseAway(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() {
			for i, rs := range b.sets {
				b.sets[i] = rs.DeepCopy()
				b.sets[i].Annotations[workload.ChangeCauseAnnotation] = "old"
			}
			b.breaks = func(*appsv1.ReplicaSet) bool { return true }
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		b.onStep(1, func() { cancel(errors.New("interrupted")) })
		wantOutcome(t, b.start(ctx, t), Detached, "interrupted")
		b.engine.Annotations = func(map[string]string, map[string]any) map[string]string {
			return map[string]string{workload.ChangeCauseAnnotation: ""}
		}
		result, err := b.engine.Abort(t.Context(), "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, RolledBack, "")
		if cause, found := b.setOf("web:1").Annotations[workload.ChangeCauseAnnotation]; found {
			t.Errorf("the ReplicaSet keeps the cause %q", cause)
		}
	})
}
