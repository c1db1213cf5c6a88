//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"
)

func TestAnInterruptedRolloutStandsAndGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		flags  []string
		signal syscall.Signal
		code   int
		tells  string
	}{
		{name: "Ctrl-C", signal: syscall.SIGINT, code: 130, tells: "interrupted"},
		{name: "SIGHUP", signal: syscall.SIGHUP, code: 129, tells: "hung up"},
		{name: "SIGTERM", signal: syscall.SIGTERM, code: 143, tells: "terminated"},
		{name: "timeout", flags: []string{"--timeout", "5s"}, code: 124, tells: "timed out waiting for the condition"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWeb(t)
			p := w.underWay(c.flags...)
			if c.signal != 0 {
				p.signal(c.signal)
			}
			p.ends(c.code, c.tells, "stands still at step 1 of 3", "'kubectl rollout-plus resume deployment/web -n "+w.name+"'",
				"'kubectl rollout-plus abort deployment/web -n "+w.name+"'")
			before := w.now()
			// Nobody drives: an abort from "another machine" finds all it needs in the cluster.
			w.plugin("resume", "deployment/web", "--timeout", "1s").ends(124)
			after := w.now()
			if before.String() != after.String() {
				t.Errorf("it did not stand still: %s, then %s", &before, &after)
			}
			w.kubectl("set", "image", "deployment/web", "app=web:v2")
			w.plugin("resume", "deployment/web").ends(0)
			w.runs("web:v2")
			w.keeps("1", "1")
		})
	}
}

// An interrupted abort has made its one write: the old version returns without anybody.
func TestAnInterruptedAbortNeedsNobody(t *testing.T) {
	w := newWeb(t, delay("2s"), replicas(2), strategy("1", "1"))
	w.start("web:v2").ends(0)
	w.runs("web:v2")
	// Back to pods that take their time, so that there is a moment to interrupt.
	p := w.start("web:slow", "--steps", "100%", "--on-failure", "hold")
	w.await("the slow pods are complete", func(m *snapshot) bool { return m.image() == "web:slow" && m.ready("web:slow") == 2 })
	p.ends(0)
	d := w.start("web:never-ready", "--steps", "1")
	w.stands()
	d.signal(syscall.SIGINT)
	d.ends(130)
	a := w.plugin("abort", "deployment/web")
	w.await("the abort has written", func(m *snapshot) bool { return m.image() == "web:slow" })
	a.signal(syscall.SIGINT)
	if code := a.code(); code != 130 && code != 0 {
		t.Errorf("exit code %d\n%s", code, a.output())
	}
	w.await("the old version is back", func(m *snapshot) bool { return m.image() == "web:slow" && m.complete() })
	if now := w.now(); now.step() != 0 {
		t.Errorf("the rollout is still open: %s", &now)
	}
	w.keeps("1", "1")
}

func TestStatusOfAnOpenRollout(t *testing.T) {
	w := newWeb(t)
	w.detached()
	w.awaitObserved("deployment/web") // an interrupted driver leaves a note of its own
	p := w.plugin("status", "deployment/web", "--watch=false").ends(0)
	native := w.begin("rollout", "status", "deployment/web", "--watch=false").ends(0).out.String()
	step := "step 1 of 3: 0 of 1 new pods ready, 2 old, 3 in total, 2 available\n"
	if got := p.out.String(); got != native+step && !strings.HasSuffix(got, step) {
		t.Errorf("status tells %q, kubectl %q", got, native)
	} else if !strings.HasPrefix(got, native) {
		t.Errorf("status begins with other words than kubectl's: %q, %q", got, native)
	}
	w.plugin("status", "deployment/web", "--timeout", "1s").ends(124, "error: timed out waiting for the condition")
	watching := w.plugin("status", "deployment/web")
	watching.tells("step 1 of 3")
	w.kubectl("set", "image", "deployment/web", "app=web:v2")
	watching.ends(4, "overtaken")
	w.plugin("resume", "deployment/web").ends(0)
	w.plugin("status", "deployment/web").ends(0, `deployment "web" successfully rolled out`)
}

func TestStatusFollowsARolloutToItsEnd(t *testing.T) {
	w := newWeb(t, delay("500ms"))
	p := w.start("web:slow")
	w.await("it is under way", func(m *snapshot) bool { return m.step() == 1 })
	p.signal(syscall.SIGKILL)
	p.code()
	watching := w.plugin("status", "deployment/web")
	watching.tells(" of 3: ")
	w.plugin("resume", "deployment/web").ends(0)
	watching.ends(0, "step 3 of 3", `deployment "web" successfully rolled out`)
}

func TestStatusTellsAtOnceThatARolloutFailed(t *testing.T) {
	w := newWeb(t)
	w.start("web:crash", "--on-failure", "hold").ends(4)
	p := w.plugin("status", "deployment/web").ends(4, "CrashLoopBackOff", "exit code 3", "container app", "kubectl logs")
	if !podOfWeb.MatchString(p.output()) {
		t.Errorf("no pod named\n%s", p.output())
	}
	w.plugin("status", "deployment/web", "--watch=false").ends(4, "CrashLoopBackOff")
	w.plugin("abort", "deployment/web").ends(0)
}

// The lines of a native rollout are kubectl's own, for scripts that know those.
func TestStatusOfANativeRollout(t *testing.T) {
	w := newWeb(t, delay("1s"))
	w.kubectl("set", "image", "deployment/web", "app=web:slow")
	native, ours := w.begin("rollout", "status", "deployment/web"), w.plugin("status", "deployment/web")
	native.ends(0)
	ours.ends(0, `Waiting for deployment "web" rollout to finish: `, `deployment "web" successfully rolled out`)
	for line := range strings.Lines(ours.out.String()) {
		if !strings.HasPrefix(line, "Waiting for deployment") && line != "deployment \"web\" successfully rolled out\n" {
			t.Errorf("not kubectl's: %q", line)
		}
	}
	w.plugin("status", "deployment/web", "--revision", "1").ends(1, "desired revision (1) is different from the running revision (2)")
	w.plugin("status", "deployment/nowhere").ends(1, `"nowhere"`)
}

// Whoever takes up a rollout that is on its way back tells where it goes, and calls no old pod new.
func TestResumeOfAWayBack(t *testing.T) {
	w := newWeb(t, delay("2s"), replicas(3), strategy("1", "1"))
	p := w.start("web:v2", "--steps", "2", "--hold", "1h", "--max-surge", "1", "--max-unavailable", "0")
	p.tells("ready, watched for")
	p.signal(syscall.SIGINT)
	p.ends(130)
	for _, command := range []string{"abort", "resume", "abort"} {
		back := w.plugin(command, "deployment/web")
		back.tells("rolling back to what was revision 1 (web:v1)")
		back.tells("going back: old version")
		back.signal(syscall.SIGINT)
		_, after, _ := strings.Cut(back.ends(130).output(), "rolling back")
		if strings.Contains(after, "new ") {
			t.Errorf("%s: a pod of the old version is called new:\n%s", command, back.output())
		}
	}
	w.plugin("resume", "deployment/web").ends(5)
	w.runs("web:v1")
}
