//go:build e2e

package e2e

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"
)

func (w *web) scale(n int) {
	w.Helper()
	w.kubectl("scale", "deployment/web", "--replicas", strconv.Itoa(n))
}

// scaleCases are numbers of replicas before and after, with limits of either sort.
var scaleCases = []struct {
	from, to           int
	surge, unavailable string
}{
	{8, 12, "1", "1"},
	{8, 4, "1", "1"},
	{10, 3, "25%", "25%"},
	{10, 3, "2", "0"},
	{4, 1, "1", "1"},
}

// rounding is how many more ready pods may be missing when replicas change while new pods are not ready: the controller
// divides what is left among ready and unready pods in proportion, and rounds, as in every rolling update.
const rounding = 1

// The new pods are on their way when replicas change.
func TestScalingWhileAStepIsUnderWay(t *testing.T) {
	t.Parallel()
	for _, c := range scaleCases {
		t.Run(fmt.Sprintf("%d to %d, %s extra, %s missing", c.from, c.to, c.surge, c.unavailable), func(t *testing.T) {
			w := newWeb(t, replicas(int32(c.from)), strategy(c.surge, c.unavailable), delay("700ms"))
			p := w.start("web:slow", "--steps", "50%")
			w.await("new pods are on their way", func(m *snapshot) bool { return m.total("web:slow") > 0 })
			w.scale(c.to)
			p.ends(0, "deployment.apps/web rolled out (revision 2)")
			w.runs("web:slow")
			w.keepsBut(rounding, c.surge, c.unavailable)
			if now := w.now(); now.replicas() != c.to {
				t.Errorf("the rollout has undone the scaling: %s", &now)
			}
		})
	}
}

// The step is done and watched when replicas change.
func TestScalingDuringAHold(t *testing.T) {
	t.Parallel()
	for _, c := range scaleCases {
		t.Run(fmt.Sprintf("%d to %d, %s extra, %s missing", c.from, c.to, c.surge, c.unavailable), func(t *testing.T) {
			w := newWeb(t, replicas(int32(c.from)), strategy(c.surge, c.unavailable))
			p := w.start("web:v2", "--steps", "50%", "--hold", "1s")
			p.tells("ready, watched for")
			w.scale(c.to)
			p.ends(0, "deployment.apps/web rolled out (revision 2)")
			w.runs("web:v2")
			w.keeps(c.surge, c.unavailable)
		})
	}
}

// Nobody watches when replicas change: the gate alone has to keep the limits.
func TestScalingOfADetachedRollout(t *testing.T) {
	t.Parallel()
	for _, c := range scaleCases {
		for _, image := range []string{"web:v2", "web:never-ready"} {
			t.Run(fmt.Sprintf("%d to %d, %s extra, %s missing, %s", c.from, c.to, c.surge, c.unavailable, image), func(t *testing.T) {
				w := newWeb(t, replicas(int32(c.from)), strategy(c.surge, c.unavailable))
				p := w.start(image, "--steps", "50%", "--hold", "10m")
				if image == "web:v2" {
					p.tells("ready, watched for")
				}
				w.await("new pods are there", func(m *snapshot) bool { return m.step() == 1 && m.total(image) > 0 && m.isStable() })
				p.signal(syscall.SIGINT)
				p.ends(130)
				w.scale(c.to)
				w.await("the controllers have followed", func(m *snapshot) bool {
					return m.replicas() == c.to && m.isStable() && m.size("") <= c.to+resolve(c.surge, c.to, true)
				})
				w.plugin("abort", "deployment/web").ends(0, "deployment.apps/web rolled back")
				w.runs("web:v1")
				if image == "web:never-ready" {
					w.keepsBut(rounding, c.surge, c.unavailable)
				} else {
					w.keeps(c.surge, c.unavailable)
				}
			})
		}
	}
}

func TestScalingToNothingAndBack(t *testing.T) {
	w := newWeb(t, replicas(4), delay("700ms"))
	p := w.start("web:slow", "--steps", "50%")
	w.await("new pods are on their way", func(m *snapshot) bool { return m.total("web:slow") > 0 })
	w.scale(0)
	p.ends(4, "the rollout was overtaken: it was scaled to 0 before the new version was ready, so that no pod shows that it works", "resume deployment/web")
	w.scale(2)
	w.plugin("resume", "deployment/web").ends(0, "others have overshot the step: 2 pods are new where it asks for 1", "web rolled out (revision 2)")
	w.runs("web:slow")
	w.restored()
}

func TestADeploymentWithoutReplicasIsChangedAtOnce(t *testing.T) {
	w := newWeb(t, replicas(0))
	w.start("web:v2").ends(0, "web rolled out (revision 2)\n", "\nno pods are wanted, so none shows that this version works\n")
	w.plugin("status", "deployment/web").ends(0, "successfully rolled out", `deployment "web": no pods are wanted, so none shows`)
	// The controller of ReplicaSets has nothing to do for one without pods, and may say so later.
	w.await("the new ReplicaSet is observed", func(m *snapshot) bool { return m.image() == "web:v2" && m.complete() })
	w.restored()
}
