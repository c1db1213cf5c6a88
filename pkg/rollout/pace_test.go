package rollout

import (
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// Who loses every race for an object gives up in the end, and does not ask the API server all the time until then.
func TestConflictsArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		for try := 1; try < kube.ConflictTries; try++ {
			if err := kube.PauseForConflict(t.Context(), clock.RealClock{}, try); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 2*time.Second || took > 10*time.Second {
			t.Errorf("%d tries take %s", kube.ConflictTries, took)
		}
	})
	if long := kube.AfterConflicts(1000); long != kube.RetryAfter {
		t.Errorf("the pauses grow to %s", long)
	}
}

// An API server that says when to come again is asked then.
func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	for want, err := range map[time.Duration]error{
		kube.RetryAfter:  apierrors.NewInternalError(apierrors.NewBadRequest("no")),
		7 * time.Second:  apierrors.NewTooManyRequests("busy", 7),
		30 * time.Second: kube.Answered(apierrors.NewServerTimeout(appsv1.Resource("deployments"), "patch", 30)),
	} {
		if got := kube.AfterRefusal(err); got != want {
			t.Errorf("%v: %s, not %s", err, got, want)
		}
	}
}
