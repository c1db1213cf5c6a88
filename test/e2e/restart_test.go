//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestRestart(t *testing.T) {
	w := newWeb(t)
	w.plugin("restart", "deployment/web").ends(0, "deployment.apps/web restarted")
	// kubectl refuses the second restart within a second.
	w.plugin("restart", "deploy", "web").ends(0, "deployment.apps/web restarted")
	w.plugin("restart", "deployment/web", "--wait", "--change-cause", "new certificates").ends(0, "deployment.apps/web restarted")
	w.runs("web:v1")
	if history := w.kubectl("rollout", "history", "deployment/web"); !strings.Contains(history, "4         new certificates") {
		t.Errorf("three restarts made\n%s", history)
	}
	w.plugin("restart", "deployment/web", "--steps", "1", "--max-surge", "1").ends(0, "deployment.apps/web rolled out (revision 5)", "step 2 (3 new pods)")
	w.runs("web:v1")
	if cause, found := w.get().Annotations["kubernetes.io/change-cause"]; found {
		t.Errorf("the cause %q of the revision before is kept", cause)
	}
	w.plugin("restart", "deployment/web", "--max-surge", "1").ends(2, "--max-surge goes with --steps")
	w.plugin("restart", "deployment/web", "-o", "nonsense").ends(2, "nonsense")
	w.plugin("restart").ends(2, "required resource not specified")
}

// A cause that is given is the revision's, and goes with the next that has none.
func TestRestartAndTheChangeCauseOfOthers(t *testing.T) {
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			s.rolledOut(manifestOf(kind, "web", "web:v1", ""))
			object := strings.ToLower(kind) + "/web"
			s.plugin("restart", object, "--wait", "--change-cause", "new certificates").ends(0)
			s.plugin("restart", object, "--wait").ends(0)
			if history := s.kubectl("rollout", "history", object); !strings.Contains(history, "2         new certificates\n3         <none>\n") {
				t.Errorf("the history is\n%s", history)
			}
		})
	}
}

// A rollout of another version is not piled on.
func TestRestartOnTopOfARollout(t *testing.T) {
	w := newWeb(t, delay("1h"))
	w.kubectl("set", "image", "deployment/web", "app=web:slow")
	w.await("the new pods are there", func(m *snapshot) bool { return m.total("web:slow") > 0 && m.isStable() })
	before := w.get().Generation
	w.plugin("restart", "deployment/web").ends(1, "a rollout of deployment/web is under way", "rollout-plus status deployment/web -n "+w.name, "--force")
	if after := w.get().Generation; after != before {
		t.Error("the restart that was refused has changed the Deployment")
	}
	w.plugin("restart", "deployment/web", "--force").ends(0, "deployment.apps/web restarted")
	w.kubectl("set", "image", "deployment/web", "app=web:v1")
	w.await("complete", (*snapshot).complete)
	w.detached()
	w.plugin("restart", "deployment/web").ends(1, "a stepwise rollout of deployment", "rollout-plus resume", "--force")
	w.plugin("abort", "deployment/web").ends(0)
	w.restored()
}

// All that a command drives has one deadline, and what it did not come to is named.
func TestOneTimeoutForSeveral(t *testing.T) {
	w := newWeb(t)
	w.kubectl("create", "deployment", "other", "--image", "web:v1")
	w.kubectl("rollout", "status", "deployment/other")
	both := []string{"deployment/web", "deployment/other", "--timeout"}
	other := func() string {
		return w.kubectl("get", "deployment/other", "-o", "jsonpath={.metadata.generation}{.spec.paused}")
	}
	w.plugin(append([]string{"restart", "--steps", "1", "--hold", "1h"}, append(both, "5s")...)...).
		ends(124, "stands still at step 1 of 2", `timed out waiting for the condition before deployment "other" was restarted`)
	if now := other(); now != "1" {
		t.Errorf("it was restarted: %s", now)
	}
	w.kubectl("rollout", "pause", "deployment/other")
	w.plugin(append([]string{"resume"}, append(both, "3s")...)...).
		ends(124, "stands still at step 1 of 2", `timed out waiting for the condition before deployment "other" was resumed`)
	if now := other(); now != "2true" {
		t.Errorf("it was resumed: %s", now)
	}
}

// Nor is one that has failed, which no wait would help.
func TestRestartOnTopOfAFailure(t *testing.T) {
	w := newWeb(t)
	w.kubectl("set", "image", "deployment/web", "app=web:broken")
	w.await("it fails", func(m *snapshot) bool { return m.total("web:broken") > 0 && m.isStable() })
	w.plugin("restart", "deployment/web").ends(1, "waiting up to 5s", "a rollout of deployment/web has failed: pod web-", "ImagePullBackOff", "rollout-plus undo deployment/web -n "+w.name)
}

// Both revisions that a StatefulSet names are the same after a rollback, and pods of a third are left.
func TestRestartOnTopOfARollback(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("StatefulSet", "db", "db:v1", ""))
	s.stuck("broken", "ImagePullBackOff")
	s.kubectl("rollout", "undo", "statefulset/db")
	s.kubectl("wait", "statefulset/db", "--for=jsonpath={.status.observedGeneration}=3", "--timeout=2m")
	s.plugin("restart", "statefulset/db").ends(1, "a rollout of statefulset/db has failed: pod db-1, container app: ImageNotFound (ImagePullBackOff)")
}

// pause ends whoever drives the rollout, and it stands with its exact numbers.
func TestHoldFromAnotherTerminal(t *testing.T) {
	w := newWeb(t, replicas(4))
	p := w.underWay("--steps", "2")
	w.plugin("pause", "deployment/web").ends(0, "deployment.apps/web paused")
	p.ends(6, "the rollout is held at its step", "stands still at step 1 of 2", "rollout-plus resume deployment/web", "rollout-plus abort deployment/web")
	w.plugin("pause", "deployment/web").ends(1, `error: deployments.apps "web" is already paused in namespace "`+w.name+`"; 'kubectl rollout-plus resume `)
	now := w.now()
	if now.deployment.Spec.Paused || now.ready("web:v1") < 3 || now.size("") > 5 {
		t.Errorf("the held rollout stands at %s", &now)
	}
	w.plugin("resume", "deployment/web", "--change-cause", "none").ends(2, "--change-cause is for a Deployment that is resumed after a pause")
	p = w.plugin("resume", "deployment/web")
	p.tells("step 1/2")
	w.plugin("pause", "deployment", "web", "-o", "name").ends(0, "deployment.apps/web")
	p.ends(6, "held")
	w.plugin("abort", "deployment/web").ends(0, "rolled back")
	w.runs("web:v1")
	w.plugin("pause", "deployment/web").ends(0, "deployment.apps/web paused")
	w.kubectl("set", "image", "deployment/web", "app=web:v2")
	w.plugin("resume", "deployment/web", "--change-cause", "the second").ends(0, "deployment.apps/web resumed")
	w.plugin("status", "deployment/web").ends(0)
	if history := w.kubectl("rollout", "history", "deployment/web"); !strings.Contains(history, "the second\n") {
		t.Errorf("no cause in\n%s", history)
	}
	w.plugin("resume", "deployment/web").ends(1, `error: deployments.apps "web" is not paused`)
}

// A cause that was written while the Deployment was paused is that of what waited, an earlier one is not.
func TestResumeAndTheChangeCause(t *testing.T) {
	w := newWeb(t)
	w.start("web:v2", "--change-cause", "two").ends(0)
	for _, c := range []struct {
		changes []string
		want    string
	}{
		{[]string{"set image deployment/web app=web:v3"}, "3         <none>"},
		{[]string{"set image deployment/web app=web:v4", "annotate deployment/web kubernetes.io/change-cause=four"}, "4         four"},
		{[]string{"annotate deployment/web team=blue"}, "4         four"}, // no new revision
	} {
		w.plugin("pause", "deployment/web").ends(0)
		for _, change := range c.changes {
			w.kubectl(strings.Fields(change)...)
		}
		w.plugin("resume", "deployment/web").ends(0, "deployment.apps/web resumed")
		w.plugin("status", "deployment/web").ends(0)
		if history := w.kubectl("rollout", "history", "deployment/web"); !strings.HasSuffix(strings.TrimSpace(history), c.want) {
			t.Errorf("after %v no %q in\n%s", c.changes, c.want, history)
		}
	}
}
