//go:build e2e

package e2e

import (
	"syscall"
	"testing"
)

// Scaled to 0 and up again, all pods are new: that is not the step that was asked for.
func TestAStepThatOthersOvershoot(t *testing.T) {
	t.Parallel()
	t.Run("Deployment", func(t *testing.T) {
		w := newWeb(t, replicas(8))
		p := w.start("web:v2", "--steps", "1", "--hold", "1h")
		p.tells("ready, watched for")
		w.scale(0)
		w.await("no pods", func(m *snapshot) bool { return m.replicas() == 0 && m.total("") == 0 })
		w.plugin("status", "deployment/web", "--watch=false").ends(0, "stdout: step 1 of 2: 0 of 0 new pods ready")
		w.scale(8)
		p.tells("others have overshot the step: 8 pods are new where it asks for 1")
		w.plugin("status", "deployment/web", "--watch=false").ends(0, "step 1 of 2: 8 of 1 new pods ready", "others have overshot the step")
		p.signal(syscall.SIGINT)
		p.ends(130)
		w.plugin("abort", "deployment/web").ends(0)
		w.runs("web:v1")
	})
	t.Run("StatefulSet", func(t *testing.T) {
		w := newStepped(t, "StatefulSet")
		p := w.holding("red", 1)
		w.kubectl("scale", w.object, "--replicas=0")
		w.kubectl("wait", w.object, "--for=jsonpath={.status.replicas}=0", "--timeout=2m")
		w.plugin("status", w.object, "--watch=false").ends(0, "stdout: step 1 of 2: 0 of 0 new pods ready")
		w.kubectl("scale", w.object, "--replicas=8")
		w.pods = 8
		p.tells("others have overshot the step: 8 pods are new where it asks for 1")
		w.plugin("status", w.object, "--watch=false").ends(0, "others have overshot the step")
		p.signal(syscall.SIGINT)
		p.ends(130)
		w.plugin("abort", w.object).ends(0)
		w.stands("red", 0)
	})
}

// What is scaled to 0 in mid-step has never been ready: that is no success, for whoever waits.
func TestScaledToNothingIsNoSuccess(t *testing.T) {
	t.Parallel()
	t.Run("StatefulSet in steps", func(t *testing.T) {
		w := newStepped(t, "StatefulSet")
		w.breaks(w.versionOfConfig("color=red"))
		p := w.set("red", "--steps", "1", "--on-failure", "hold", "--max-unavailable", "1")
		p.tells("step 1/2: to 1 new pod")
		w.kubectl("scale", w.object, "--replicas=0")
		p.ends(4)
	})
	for _, object := range []string{"deployment/web", "statefulset/db"} {
		t.Run(object+" restart --wait", func(t *testing.T) {
			s := newSpace(t)
			s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("StatefulSet", "db", "db:v1", ""))
			s.kubectl("patch", object, "-p", `{"spec":{"minReadySeconds":500}}`)
			p := s.plugin("restart", object, "--wait")
			p.tells("restarted")
			s.kubectl("scale", object, "--replicas=0")
			p.ends(4, "the rollout was overtaken: it was scaled to 0 before")
			s.plugin("restart", object, "--wait").ends(0, "no pods are wanted, so none shows that")
		})
	}
}

// A DaemonSet without a node is rolled out to nothing.
func TestADaemonSetWithoutNodes(t *testing.T) {
	s := newSpace(t)
	label := "rollout-plus.test/" + s.name
	node := s.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	s.kubectl("label", "node", node, label+"=yes")
	t.Cleanup(func() { s.begin("label", "node", node, label+"-").code() })
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.kubectl("create", "-f", s.write(s.dir(), "web.yaml", configuredNative("DaemonSet")))
	s.kubectl("patch", "daemonset/web", "-p", `{"spec":{"template":{"spec":{"nodeSelector":{"`+label+`":"yes"}}}}}`)
	s.kubectl("rollout", "status", "daemonset/web")
	p := s.plugin("config", "set", "settings", "color=red", "--yes", "--pin", "--hold", "2s")
	p.tells("ready, watched for 2s")
	s.kubectl("label", "node", node, label+"-")
	p.ends(4, "no node was left for its pods before the new version was ready")
	s.plugin("resume", "daemonset/web").ends(0, "web rolled out (revision 3)", "no pods are wanted, so none shows that this version works")
	s.plugin("status", "daemonset/web").ends(0, "successfully rolled out", `daemonset "web": no pods are wanted`)
	s.plugin("restart", "daemonset/web", "--wait").ends(0, "no pods are wanted")
	s.plugin("config", "set", "settings", "color=green", "--yes", "--pin").ends(0, "no pods are wanted")
}
