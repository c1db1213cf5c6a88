package rollout

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// churns has the controller write a status before every request of a sort, as it does where many pods crash at once: what
// the session knows is old by the time that it writes.
func (b *bench) churns(how func(request *http.Request) bool) {
	b.change(func() {
		b.refuse = func(request *http.Request) error {
			if how(request) {
				next := b.d.DeepCopy()
				next.Status.UnavailableReplicas++
				b.storeDeployment(next)
			}
			return nil
		}
	})
}

func TestAStatusThatNeverRestsDoesNotKeepTheOldVersionAway(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() { b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" } })
		b.churns(func(request *http.Request) bool {
			return request.Method == http.MethodGet && strings.Contains(request.URL.Path, "/replicasets/")
		})
		change := newImage
		change.Cause = "a new version"
		ctx, cancel := context.WithTimeoutCause(t.Context(), settleTimeout, ErrTimeout)
		defer cancel()
		result, err := b.engine.Start(ctx, "Deployment", worldKey, change, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, RolledBack, "")
		b.wantWhole(t, "web:1")
		if cause, found := b.d.Annotations[workload.ChangeCauseAnnotation]; found {
			t.Errorf("the old version is left with the new one's cause %q", cause)
		}
	})
}

func TestAStatusThatNeverRestsDoesNotKeepAHeldRolloutFromGoingOn(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, interrupt := context.WithCancelCause(t.Context())
		b.onStep(2, func() {
			if _, err := b.engine.Hold(t.Context(), "Deployment", worldKey); err != nil {
				t.Errorf("hold: %v", err)
			}
			interrupt(errors.New("interrupted"))
		})
		b.start(ctx, t)
		b.churns(func(request *http.Request) bool {
			return request.Method == http.MethodPatch && strings.HasSuffix(request.URL.Path, "/deployments/"+worldName)
		})
		ctx, cancel := context.WithTimeoutCause(t.Context(), settleTimeout, ErrTimeout)
		defer cancel()
		result, err := b.engine.Resume(ctx, "Deployment", worldKey)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		b.wantWhole(t, "web:2")
	})
}
