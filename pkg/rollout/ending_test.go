package rollout

import (
	"context"
	"errors"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// onRollback does something once, right after the write that goes back.
func (b *bench) onRollback(do func()) {
	b.seen = func(event Event) {
		if _, is := event.(RollbackEvent); is {
			b.seen = nil
			do()
		}
	}
}

func (b *bench) setImage(image string) {
	b.change(func() {
		b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = image })
	})
}

func TestNoOtherVersionIsTakenForTheOneThatIsAwaited(t *testing.T) {
	two := intstr.FromInt32(2)
	for name, options := range map[string]StartOptions{
		"the Deployment's own limits": inSteps,
		"limits of the rollout's own": {Steps: inSteps.Steps, OnFailure: plan.OnFailureRollback, MaxSurge: &two},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() { b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" } })
				b.onRollback(func() { b.setImage("web:3") })
				result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
				if err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, result, Overtaken, "the pod template was changed")
				if result.Standing || result.Towards != "" {
					t.Errorf("standing %v, towards %q", result.Standing, result.Towards)
				}
				<-time.After(time.Minute)
				b.wantWhole(t, "web:3")
			})
		})
	}
}

// Somebody who restarts the version that is awaited changes nothing about which one it is.
func TestARestartOfTheAwaitedVersionIsAwaitedToo(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() { b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" } })
		b.onRollback(func() {
			b.change(func() {
				b.changeSpec(func(spec *appsv1.DeploymentSpec) {
					spec.Template.Annotations = map[string]string{podtemplate.RestartedAtAnnotation: "now"}
				})
			})
		})
		wantOutcome(t, b.start(t.Context(), t), RolledBack, "")
	})
}

func TestAwaitIsForOneTemplate(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		awaited := b.d.DeepCopy()
		b.setImage("web:3")
		result, err := b.engine.Await(t.Context(), worldKey, awaited)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Overtaken, "the pod template was changed")
		if result, err = b.engine.Await(t.Context(), worldKey, nil); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		awaited = b.d.DeepCopy()
		awaited.UID = "of one that was deleted since"
		if result, err = b.engine.Await(t.Context(), worldKey, awaited); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Deleted, "the Deployment was deleted")
	})
}

// A controller that does not run is waited for as long as a step may take, with a resumed rollout as with any other.
func TestAResumedRolloutDoesNotWaitForAControllerForEver(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancelCause(t.Context())
		b.onStep(2, func() {
			b.change(func() { b.away = true })
			b.setImage("web:3")
			cancel(errors.New("interrupted"))
		})
		b.start(ctx, t)
		ctx, stop := context.WithTimeoutCause(t.Context(), time.Hour, ErrTimeout)
		defer stop()
		result, err := b.engine.Resume(ctx, "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Failed, "")
		if result.Finding == nil {
			t.Error("nothing is told of why")
		}
	})
}

// Pods that come and go are no progress: only who comes further than ever before makes some.
func TestFlappingPodsDoNotPutOffTheDeadline(t *testing.T) {
	t.Parallel()
	s := fixedSession()
	s.phase, s.outcome = ending, RolledBack
	current := setFor("a", "web:1", 4, noon(0))
	status := func(replicas, available int32) *Snapshot {
		d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: ptr.To(replicas), Template: templateFor("web:1", "")}}
		d.Status = appsv1.DeploymentStatus{Replicas: replicas, UpdatedReplicas: replicas, AvailableReplicas: available}
		return &Snapshot{Workload: d, ReplicaSets: []*appsv1.ReplicaSet{current}}
	}
	var last action
	for second := range 700 {
		available := int32(2)
		if second > 5 {
			available -= int32(second % 2)
		}
		last, s.memory = decideEnd(status(4, available), Idle, RolledBack, ptr.To[int32](600), s.memory, noon(second))
		if _, waits := last.(await); waits != (second < 600) {
			t.Fatalf("after %d seconds: %+v", second, last)
		}
		if second == 600 {
			break
		}
	}
	// Of fewer replicas fewer can be available.
	last, s.memory = decideEnd(status(2, 1), Idle, RolledBack, ptr.To[int32](600), s.memory, noon(601))
	if _, waits := last.(await); !waits {
		t.Errorf("after replicas were changed: %+v", last)
	}
	if !s.memory.progressAt.Equal(noon(601)) {
		t.Errorf("progress at %s", s.memory.progressAt)
	}
}
