package rollout

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// awayWhileHeld is a rollout whose API server goes away in the middle of the first step's hold, for longer than that lasts,
// and comes back without knowing what the watches have seen. It tells when the second step began.
func awayWhileHeld(t *testing.T, b *bench, hold, away time.Duration, meanwhile func()) (result *Result, held, next time.Time) {
	t.Helper()
	b.seen = func(event Event) {
		switch e := event.(type) {
		case HoldEvent:
			if !held.IsZero() {
				return
			}
			held = time.Now()
			time.AfterFunc(hold/2, func() {
				b.change(func() {
					back := time.Now().Add(away)
					b.expired = true
					b.cutStreams("", nil)
					meanwhile()
					b.refuse = func(request *http.Request) error {
						// What is asked about the pods comes back last.
						if now := time.Now(); now.Before(back.Add(-away/4)) || now.Before(back) && strings.HasSuffix(request.URL.Path, "/pods") {
							return syscall.ECONNREFUSED // who watches then watches on, where others list anew
						}
						return nil
					}
				})
			})
			time.AfterFunc(hold/2+away+10*time.Second, func() { b.change(func() { b.expired = false }) })
		case StepEvent:
			if e.Step == 2 {
				next = time.Now()
			}
		}
	}
	options := inSteps
	options.Steps, options.Hold = plan.Steps{intstr.FromInt32(1), everything()}, hold
	result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
	if err != nil {
		t.Fatal(err)
	}
	return result, held, next
}

func TestNoStepBeginsOnWhatWasSeenBeforeAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		result, _, next := awayWhileHeld(t, b, time.Minute, 2*time.Minute, func() {
			for _, pod := range b.pods {
				if owner := pod.OwnerReferences[0]; owner.UID == b.setOf("web:2").UID {
					b.broken[pod.UID] = true
					b.setReady(pod, corev1.ConditionFalse)
				}
			}
		})
		if !next.IsZero() {
			t.Error("the second step began although the pod of the first had crashed during the outage")
		}
		wantOutcome(t, result, RolledBack, "")
		b.wantWhole(t, "web:1")
	})
}

func TestAHoldDoesNotRunOnWhileNothingIsSeen(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		const hold, away = time.Minute, 2 * time.Minute
		result, held, next := awayWhileHeld(t, b, hold, away, func() {})
		wantOutcome(t, result, Done, "")
		if watched := next.Sub(held) - away; watched < hold || watched > hold+15*time.Second {
			t.Errorf("the pods were watched for %s of %s", watched, hold)
		}
	})
}

// Somebody scales in the middle of a hold, long after an outage: the time for that begins then.
func TestScalingLongAfterAnOutageInAHold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		result, _, _ := awayWhileHeld(t, b, time.Hour, 2*time.Minute, func() {
			time.AfterFunc(20*time.Minute, func() { b.change(func() { b.scale(6) }) })
		})
		wantOutcome(t, result, Done, "")
	})
}
