package rollout

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"
)

// denied is what the API server says where an admission webhook does not allow a write.
func denied() error {
	return apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, worldName,
		errors.New(`admission webhook "freeze" denied the request: not on Fridays`))
}

func webhookIsDown() error {
	return apierrors.NewInternalError(errors.New(`failed calling webhook "policy": connect: connection refused`))
}

// refusesWrites lets an error answer every write to the Deployment while it says so.
func (b *bench) refusesWrites(err error, while func() bool) {
	b.refuse = func(request *http.Request) error {
		if request.Method == http.MethodPatch && strings.HasSuffix(request.URL.Path, "/deployments/"+worldName) && while() {
			return err
		}
		return nil
	}
}

func always() bool { return true }

// messages counts the lines that tell of something else than pods.
func (b *bench) messages(text string) int {
	count := 0
	for _, event := range b.events {
		if e, is := event.(ProgressEvent); is && strings.Contains(e.Message, text) {
			count++
		}
	}
	return count
}

// The first write is made, its answer is lost, and the API server is away for a while after that.
func TestABeginningWhoseAnswerIsLostIsGoneOnWith(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var back time.Time
		b.change(func() {
			b.lost = func(*http.Request) bool {
				b.lost, back = nil, time.Now().Add(10*time.Second)
				return true
			}
			b.refuse = func(request *http.Request) error {
				if time.Now().Before(back) && request.URL.Query().Get("watch") == "" {
					return errors.New("connect: connection refused")
				}
				return nil
			}
		})
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		b.wantWhole(t, "web:2")
	})
}

func TestABeginningThatIsRefusedAgainAndAgainEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() { b.refusesWrites(webhookIsDown(), always) })
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Minute, ErrTimeout)
		defer cancel()
		from := time.Now()
		_, err := b.engine.Start(ctx, "Deployment", worldKey, newImage, inSteps)
		if err == nil || errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), `failed calling webhook "policy"`) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(from); took < time.Minute || took > 2*time.Minute {
			t.Errorf("ended after %s", took)
		}
		if told := b.messages(`failed calling webhook "policy"`); told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

// The gate does not move any more, then: whether the old version or the new one is to run, it takes a write.
func TestWritesThatFailForTheWholeDeadlineEndTheCommandWhereItStands(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var from time.Time
		b.onStep(2, func() {
			from = time.Now()
			b.change(func() { b.refusesWrites(webhookIsDown(), always) })
		})
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, ErrTimeout)
		defer cancel()
		result := b.start(ctx, t)
		wantOutcome(t, result, Failed, `cannot patch deployment "web" in namespace "shop": Internal error occurred: failed calling webhook`)
		if !result.Standing || result.Record.Step != 2 {
			t.Errorf("standing %v at %+v", result.Standing, result.Record)
		}
		if took := time.Since(from); took < 600*time.Second || took > 700*time.Second {
			t.Errorf("ended after %s", took)
		}
		if told := b.messages(`failed calling webhook "policy"`); told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

func TestARightToWriteThatComesBackDoesNotEndTheCommand(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			back := time.Now().Add(informer.DeniedGrace / 2)
			b.change(func() { b.refusesWrites(forbidden(), func() bool { return time.Now().Before(back) }) })
		})
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		b.wantWhole(t, "web:2")
	})
}

func TestARightToWriteThatIsLostEndsTheCommandAfterAGrace(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() { b.change(func() { b.refusesWrites(forbidden(), always) }) })
		wantOutcome(t, b.start(t.Context(), t), Failed, `the right to patch deployments in namespace "shop" is missing`)
	})
}

// What a policy denies is no right that is missing, and no other try helps.
func TestADeniedWriteEndsTheCommandAndIsCalledThat(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() { b.change(func() { b.refusesWrites(denied(), always) }) })
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Failed, `cannot patch deployment "web" in namespace "shop": deployments.apps "web" is forbidden: admission webhook "freeze" denied`)
	})
}

// Neither the first write nor what there is now is answered before the command is interrupted.
func TestAnInterruptionBeforeAnyAnswerTellsThatItMayHaveBegun(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		away := false
		b.change(func() {
			b.lost = func(*http.Request) bool { away = true; return true }
			b.refuse = func(*http.Request) error {
				if away {
					return errors.New("connect: connection refused")
				}
				return nil
			}
		})
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, ErrTimeout)
		defer cancel()
		_, err := b.engine.Start(ctx, "Deployment", worldKey, newImage, inSteps)
		var uncertain *UncertainError
		if !errors.As(err, &uncertain) || !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "tells whether the rollout has begun") {
			t.Errorf("got %v", err)
		}
	})
}
