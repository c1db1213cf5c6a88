//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// threeRevisions is a Deployment with web:v1, web:v2 and web:v3 as its revisions 1, 2 and 3.
func threeRevisions(t *testing.T, edits ...edit) *web {
	t.Helper()
	w := newWeb(t, edits...)
	for _, image := range []string{"web:v2", "web:v3"} {
		w.kubectl("set", "image", "deployment/web", "app="+image)
		w.await("complete with "+image, func(m *snapshot) bool { return m.image() == image && m.complete() })
	}
	return w
}

func TestUndo(t *testing.T) {
	w := threeRevisions(t)
	expect := func(image string, flags []string, texts ...string) {
		t.Helper()
		p := w.plugin(append([]string{"undo", "deployment/web"}, flags...)...).ends(0, texts...)
		if image != "" && !strings.Contains(strings.Join(flags, " "), "--wait") && !strings.Contains(strings.Join(flags, " "), "--steps") {
			w.await("complete with "+image, func(m *snapshot) bool { return m.image() == image && m.complete() })
		}
		if now := w.now(); now.image() != image || !now.complete() {
			t.Errorf("after undo %v: %s\n%s", flags, &now, p.output())
		}
		w.restored()
	}
	done := "deployment.apps/web rolled back\n"
	expect("web:v2", nil, "stdout: "+done)
	expect("web:v3", []string{"--wait"}, "stdout: "+done)
	expect("web:v1", []string{"--to-revision", "1", "--wait"}, "stdout: "+done)
	// Revision 1 is revision 6 by now.
	expect("web:v1", []string{"--to-revision", "6", "--wait"},
		"stdout: deployment.apps/web skipped rollback (current template already matches revision 6)\n")
	expect("web:v1", []string{"--dry-run=server"}, "stdout: deployment.apps/web rolled back (server dry run)\n")
	expect("web:v1", []string{"--dry-run=client"}, "deployment.apps/web Pod Template:", "web:v3", " (dry run)")
	expect("web:v3", []string{"--steps", "1,2"}, "step 1/3: to 1 new pod", "deployment.apps/web rolled out (revision 7)")
	expect("web:v2", []string{"--to-revision", "4", "--steps", "2", "--hold", "100ms"}, "step 1/2: to 2 new pods")
	expect("web:v2", []string{"--to-revision", "8", "--steps", "1"}, "unchanged")
	for _, flags := range [][]string{{"--to-revision", "99"}, {"--to-revision", "99", "--wait"}, {"--to-revision", "99", "--steps", "1"}} {
		w.plugin(append([]string{"undo", "deployment/web"}, flags...)...).ends(1, "unable to find specified revision 99 in history")
	}
	w.kubectl("rollout", "pause", "deployment/web")
	w.plugin("undo", "deployment/web").ends(1,
		"you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again")
	w.keeps("1", "1")
}

func TestUndoWithoutHistory(t *testing.T) {
	w := newWeb(t)
	for _, flags := range [][]string{nil, {"--steps", "1"}} {
		w.plugin(append([]string{"undo", "deployment/web"}, flags...)...).ends(1, `no rollout history found for deployment "web"`)
	}
}

// kubectl's undo says the same, word for word; what an error leaves unsaid comes after it.
func TestUndoSpeaksAsKubectlDoes(t *testing.T) {
	w := threeRevisions(t)
	for _, flags := range [][]string{
		{"--dry-run=client"},
		{"--to-revision", "3"},
		{"--to-revision", "17"},
		{"--dry-run=client", "--to-revision", "1"},
	} {
		native := w.begin(append([]string{"rollout", "undo", "deployment/web"}, flags...)...)
		native.code()
		ours := w.plugin(append([]string{"undo", "deployment/web"}, flags...)...)
		if ours.code() != native.code() || !ours.tellsAs(native) {
			t.Errorf("undo %v: exit code %d, kubectl's %d\n%s\nkubectl's:\n%s", flags, ours.code(), native.code(), ours.output(), native.output())
		}
	}
}

// To go back from an open rollout is to abort it.
func TestUndoOfAnOpenRollout(t *testing.T) {
	w := newWeb(t)
	w.start("web:v2").ends(0)
	w.detached()
	w.plugin("undo", "deployment/web", "--wait").ends(0, "deployment.apps/web rolled back\n")
	w.runs("web:v2")
	w.detached()
	w.plugin("undo", "deployment/web", "--to-revision", "1", "--wait").ends(0, "deployment.apps/web rolled back\n")
	w.runs("web:v1")
	w.detached()
	before := w.now()
	w.plugin("undo", "deployment/web", "--dry-run=server").ends(0, "deployment.apps/web rolled back (server dry run)\n")
	after := w.now()
	if before.String() != after.String() || after.step() != 1 {
		t.Errorf("a dry run has changed something: %s, then %s", &before, &after)
	}
	var second string
	for _, rs := range after.replicaSets {
		if rs.Spec.Template.Spec.Containers[0].Image == "web:v2" {
			second = rs.Annotations["deployment.kubernetes.io/revision"]
		}
	}
	w.plugin("undo", "deployment/web", "--to-revision", second, "--steps", "1").ends(0)
	w.runs("web:v2")
	w.keeps("1", "1")
}

func TestUndoWaitsNoLongerThanItsTimeout(t *testing.T) {
	w := newWeb(t)
	w.kubectl("set", "image", "deployment/web", "app=web:never-ready")
	w.await("it is under way", func(m *snapshot) bool { return m.total("web:never-ready") > 0 })
	w.plugin("undo", "deployment/web", "--wait", "--timeout", "1m").ends(0)
	w.runs("web:v1")
	w.plugin("undo", "deployment/web", "--wait", "--timeout", "1s").ends(124, "timed out waiting for the condition")
}
