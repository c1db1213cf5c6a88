//go:build e2e

package e2e

import (
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// standingAtThree is a Deployment with the key of a ConfigMap in its environment, which has held one and two before three.
// The rollout to three is open, and nobody drives it.
func standingAtThree(t *testing.T) *web {
	t.Helper()
	w := newWeb(t)
	w.kubectl("create", "configmap", "settings", "--from-literal=color=one")
	w.plugin("config", "attach", "deployment/web", "--env-from-config-key", "COLOR=settings:color", "--steps", "100%").ends(0)
	w.plugin("config", "set", "settings", "color=two", "--yes", "--steps", "100%").ends(0)
	p := w.plugin("config", "set", "settings", "color=three", "--yes", "--steps", "1", "--hold", "1h")
	w.await("the rollout stands at its first step", func(m *snapshot) bool { return m.step() == 1 && m.isStable() })
	p.signal(syscall.SIGINT)
	p.ends(130)
	return w
}

// holds expects a value in the head, and the same or another one in what the pods run with.
func (w *web) holds(head, pods string) {
	w.Helper()
	color := func(name string) string {
		config, err := w.client.CoreV1().ConfigMaps(w.name).Get(w.Context(), name, metav1.GetOptions{})
		must(w.TB, err)
		return config.Data["color"]
	}
	if now := color("settings"); now != head {
		w.Errorf("the head holds %q, not %q", now, head)
	}
	if now := color(w.get().Spec.Template.Spec.Containers[0].Env[0].ValueFrom.ConfigMapKeyRef.Name); now != pods {
		w.Errorf("the pods run with %q, not %q", now, pods)
	}
}

// To go back step by step from an open rollout is to abort it: it does not go on to what has just been left.
func TestUndoInStepsOfAnOpenRollout(t *testing.T) {
	w := standingAtThree(t)
	w.plugin("undo", "deployment/web", "--steps", "50%").ends(0, "deployment.apps/web rolled back (revision ")
	w.holds("two", "two")
	w.runs("web:v1")
	w.detached()
	w.plugin("undo", "deployment/web", "--steps", "50%", "-o", "json").ends(0, `"outcome":"rolled-back"`, `"exitCode":0`)
	w.runs("web:v1")
}

func TestUndoInStepsKeepsTheConfiguration(t *testing.T) {
	w := standingAtThree(t)
	w.plugin("undo", "deployment/web", "--steps", "50%", "--keep-config").ends(0)
	w.holds("three", "two")
}
