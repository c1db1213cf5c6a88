//go:build e2e

package e2e

import (
	"syscall"
	"testing"
)

// underWay begins a rollout whose first new pod does not become ready, and waits until it is there.
func (w *web) underWay(flags ...string) *process {
	w.Helper()
	p := w.start("web:never-ready", flags...)
	w.stands()
	return p
}

// stands waits until the rollout's first pods are there and not ready.
func (w *web) stands() {
	w.Helper()
	w.await("the rollout stands at its first step", func(m *snapshot) bool {
		return m.step() == 1 && m.total("web:never-ready") > 0 && m.isStable()
	})
}

// detached is a rollout under way that nobody drives.
func (w *web) detached(flags ...string) {
	w.Helper()
	p := w.underWay(flags...)
	p.signal(syscall.SIGINT)
	p.ends(130)
}

func TestAnotherTemplateInMidStep(t *testing.T) {
	t.Parallel()
	for _, then := range []string{"resume", "abort"} {
		t.Run(then, func(t *testing.T) {
			w := newWeb(t, replicas(5), strategy("1", "1"))
			p := w.underWay("--steps", "2,4")
			w.kubectl("set", "image", "deployment/web", "app=web:v3")
			p.ends(4, "overtaken", "the pod template was changed by kubectl-set", "to revision 3 where revision 2 was under way",
				"stands still at step 1 of 3", "rollout-plus resume", "rollout-plus abort")
			w.await("the controllers have followed", func(m *snapshot) bool { return m.isStable() && m.ready("web:v3") > 0 })
			now := w.now()
			if now.ready("") < 4 || now.size("") > 6 || now.size("web:v1") < 3 {
				t.Errorf("the gate is gone: %s", &now)
			}
			if then == "resume" {
				w.plugin("resume", "deployment/web").ends(0, "deployment.apps/web rolled out (revision 3)")
				w.runs("web:v3")
			} else {
				w.plugin("abort", "deployment/web").ends(0, "deployment.apps/web rolled back (revision 4)")
				w.runs("web:v1")
			}
			w.keeps("1", "1")
		})
	}
}

// kubectl's own undo replaces the Deployment's annotations, and with them the record.
func TestNativeUndoInMidStep(t *testing.T) {
	t.Parallel()
	t.Run("driven", func(t *testing.T) {
		w := newWeb(t)
		p := w.underWay()
		w.kubectl("rollout", "undo", "deployment/web")
		p.ends(5, "deployment.apps/web rolled back")
		w.runs("web:v1")
		w.keeps("1", "1")
	})
	for then, code := range map[string]int{"resume": 5, "abort": 0, "undo": 0} {
		t.Run("detached, then "+then, func(t *testing.T) {
			w := newWeb(t)
			w.detached()
			w.kubectl("rollout", "undo", "deployment/web")
			w.plugin(then, "deployment/web").ends(code, "deployment.apps/web rolled back")
			w.await("complete", (*snapshot).complete)
			w.runs("web:v1")
			w.keeps("1", "1")
		})
	}
}

func TestAPauseInMidStep(t *testing.T) {
	w := newWeb(t, delay("1s"))
	p := w.start("web:slow")
	w.await("the first new pod is there", func(m *snapshot) bool { return m.total("web:slow") > 0 })
	w.kubectl("rollout", "pause", "deployment/web")
	p.ends(6, "the Deployment was paused", "'kubectl rollout-plus resume deployment/web -n "+w.name+"' goes on")
	w.plugin("resume", "deployment/web").ends(0, "deployment.apps/web rolled out (revision 2)")
	w.runs("web:slow")
	w.keeps("1", "1")
}

// A paused Deployment's pods are not replaced, so an abort cannot come to its end before somebody resumes it.
func TestAnAbortOfAPausedRolloutSaysSo(t *testing.T) {
	w := newWeb(t, replicas(10), strategy("1", "5"))
	w.detached("--steps", "5")
	w.kubectl("rollout", "pause", "deployment/web")
	w.plugin("abort", "deployment/web").ends(6, "paused", "kubectl rollout resume deployment/web")
	w.kubectl("rollout", "resume", "deployment/web")
	now := w.now()
	if now.step() != 0 {
		w.plugin("abort", "deployment/web").ends(0)
	}
	w.await("complete", func(m *snapshot) bool { return m.image() == "web:v1" && m.complete() })
	w.runs("web:v1")
	w.keeps("1", "5")
}

// Somebody takes the gate away: the controller goes on by itself, which the command must not claim as its own success.
func TestTheGateIsOpenedByOthers(t *testing.T) {
	t.Parallel()
	for _, then := range []string{"resume", "abort"} {
		t.Run(then, func(t *testing.T) {
			w := newWeb(t)
			p := w.underWay()
			w.kubectl("patch", "deployment/web", "-p", `{"spec":{"minReadySeconds":1}}`)
			p.ends(4, "overtaken", "by kubectl-patch")
			w.own.Spec.MinReadySeconds = 1 // what others set stays
			if then == "abort" {
				w.plugin("abort", "deployment/web").ends(0)
				w.runs("web:v1")
				return
			}
			w.kubectl("set", "image", "deployment/web", "app=web:v3")
			w.await("the third version is complete", func(m *snapshot) bool { return m.image() == "web:v3" && m.complete() })
			w.plugin("resume", "deployment/web").ends(0)
			w.runs("web:v3")
		})
	}
}

// An autoscaler or a person may edit what the rollout does not own; that is none of its business.
func TestUnrelatedEditsAreLeftAlone(t *testing.T) {
	w := newWeb(t, delay("700ms"))
	p := w.start("web:slow")
	w.await("the first new pod is there", func(m *snapshot) bool { return m.total("web:slow") > 0 })
	w.kubectl("annotate", "deployment/web", "example.com/owner=me")
	w.kubectl("label", "deployment/web", "team=blue")
	w.kubectl("patch", "deployment/web", "-p", `{"spec":{"revisionHistoryLimit":5}}`)
	p.ends(0)
	w.runs("web:slow")
	d := w.get()
	if d.Annotations["example.com/owner"] != "me" || d.Labels["team"] != "blue" || *d.Spec.RevisionHistoryLimit != 5 {
		t.Errorf("others' edits are lost: %v %v %d", d.Annotations, d.Labels, *d.Spec.RevisionHistoryLimit)
	}
}
