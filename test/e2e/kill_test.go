//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	// killRounds are spread over lanes, which run side by side.
	killLanes, killRounds = 4, 7
	// seedVariable repeats a run: the seed is in the test's output.
	seedVariable = "ROLLOUT_PLUS_E2E_SEED"
)

// TestKillAtAnyMoment ends the plugin with kill -9, which it cannot notice, and goes on or back from the cluster's state
// alone, which is now and then killed too.
func TestKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	t.Logf("%s=%d", seedVariable, seed)
	for lane := range killLanes {
		t.Run(strconv.Itoa(lane), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, uint64(lane)))
			sizes := []int32{1, 3, 4, 6}
			w := newWeb(t, replicas(sizes[lane]), strategy("1", strconv.Itoa(min(lane, 1))), delay("150ms"))
			version := "web:v1"
			for round := range killRounds {
				version = w.killed(random, round, version)
			}
			w.keeps("1", strconv.Itoa(min(lane, 1)))
		})
	}
}

// killed is one round: a rollout, one or more kills, and the end. It gives the version that runs then.
func (w *web) killed(random *rand.Rand, round int, before string) string {
	w.Helper()
	// The part before the tag tells the versions apart; the tag makes the pods take their time.
	wanted := fmt.Sprintf("web-%d:slow", round)
	p := w.start(wanted, "--steps", "1,50%")
	w.killSoon(random, p)
	verb := []string{"resume", "abort"}[random.IntN(2)]
	for random.IntN(3) == 0 {
		p = w.plugin([]string{"resume", "abort"}[random.IntN(2)], "deployment/web")
		w.killSoon(random, p)
	}
	state := w.now()
	p = w.plugin(verb, "deployment/web")
	code := p.code()
	w.Logf("round %d: killed at %s, then %s: exit code %d", round, &state, verb, code)
	switch {
	case code == 0:
	case code == 1 && state.step() == 0:
		// It was killed before its first write or after its last one, and there is nothing to go on with.
		p.ends(1, map[string]string{"resume": "is not paused", "abort": "no stepwise rollout is open"}[verb])
		// What the killed one owed the owners of its fields, abort gives back.
		w.plugin("abort", "deployment/web").ends(1, "no stepwise rollout is open")
		w.await("the controller is done", (*snapshot).complete)
	default:
		w.Fatalf("round %d: %s ended with exit code %d\n%s", round, verb, code, p.output())
	}
	now := w.now()
	image := now.image()
	if image != before && image != wanted || code == 0 && state.step() != 0 && (image == wanted) != (verb == "resume") {
		w.Fatalf("round %d: %s from %s left %s", round, verb, &state, &now)
	}
	w.await("complete", (*snapshot).complete)
	if code == 0 {
		w.runs(image)
	}
	return image
}

// killSoon kills the process after some events, or after a moment, whichever the dice say.
func (w *web) killSoon(random *rand.Rand, p *process) {
	w.Helper()
	if random.IntN(2) == 0 {
		w.more(1+random.IntN(30), p.done)
	} else {
		select {
		case <-time.After(time.Duration(random.IntN(1200)) * time.Millisecond):
		case <-p.done:
		}
	}
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended by itself
	p.code()
}
