//go:build e2e

package e2e

import (
	"fmt"
	"syscall"
	"testing"
)

func TestOfTwoStartsOneWins(t *testing.T) {
	const rounds = 4
	w := newWeb(t, replicas(2))
	for round := range rounds {
		images := []string{fmt.Sprintf("a-%d:v1", round), fmt.Sprintf("b-%d:v1", round)}
		// The hold makes the first last until the second has looked, however busy the machine is.
		both := []*process{w.start(images[0], "--hold", "3s", "--steps", "1"), w.start(images[1], "--hold", "3s", "--steps", "1")}
		winner, loser := 0, 1
		if both[0].code() != 0 {
			winner, loser = 1, 0
		}
		both[winner].ends(0, "deployment.apps/web rolled out")
		both[loser].ends(1, "already under way", "rollout-plus resume deployment/web", "rollout-plus abort deployment/web")
		w.runs(images[winner])
		now := w.now()
		if _, began := now.sizes()[images[loser]]; began {
			t.Errorf("both began: %s", &now)
		}
	}
	w.keeps("1", "1")
}

func TestTwoResumesDoNotQuarrel(t *testing.T) {
	w := newWeb(t, replicas(6), delay("300ms"))
	p := w.start("web:slow", "--steps", "1,2,3,4,5")
	w.await("it is under way", func(m *snapshot) bool { return m.step() == 1 })
	p.signal(syscall.SIGINT)
	p.ends(130)
	a, b := w.plugin("resume", "deployment/web"), w.plugin("resume", "deployment/web")
	a.ends(0, "deployment.apps/web rolled out")
	b.ends(0, "deployment.apps/web rolled out")
	w.runs("web:slow")
	w.keeps("1", "1")
}
