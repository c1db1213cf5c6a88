//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// A revision that has failed is marked, and an undo that names no revision does not go there again.
func TestUndoSkipsRevisionsThatHaveFailed(t *testing.T) {
	w := newWeb(t)
	w.start("web:v2").ends(0, "from revision 1 (web:v1) to revision 2 (web:v2)")
	p := w.start("web:crash").ends(5, "rolling back to what was revision 2 (web:v2)", "old version 3/3 ready, abandoned version 0")
	if _, after, _ := strings.Cut(p.output(), "rolling back"); strings.Contains(after, "new 3/3") {
		t.Errorf("the old version is called new:\n%s", p.output())
	}
	w.runs("web:v2") // as revision 4
	w.plugin("history", "deployment/web", "-o", "wide").ends(0, "old,failed")
	w.plugin("history", "deployment/web", "-o", `jsonpath={range .items[*]}{.revision}{.failed} {end}`).ends(0)
	const skips = "revision 3 is skipped, since its rollout failed"
	w.plugin("undo", "deployment/web", "--dry-run=server").ends(0, skips, "goes back from revision 4 (web:v2) to revision 1 (web:v1)")
	w.plugin("start", "deployment/web", "--to-revision", "0", "--dry-run=client").ends(0, skips, "from revision 4 (web:v2) to revision 5 (web:v1)")
	w.plugin("undo", "deployment/web", "--wait").ends(0, skips, "goes back from revision 4 (web:v2) to revision 1 (web:v1)")
	w.runs("web:v1")
	// kubectl's own undo knows nothing of it, and the mark is not copied to the Deployment.
	if labels := w.get().Labels; labels["rollout-plus/failed"] != "" {
		t.Errorf("the Deployment is marked: %v", labels)
	}
	// Who names a revision gets it, and then the mark does not count any more.
	w.plugin("undo", "deployment/web", "--to-revision", "3").ends(0, "to revision 3 (web:crash)")
	w.await("the crashing version is the newest", func(m *snapshot) bool { return m.image() == "web:crash" && m.isStable() })
	if told := w.plugin("history", "deployment/web", "-o", "wide").ends(0).output(); strings.Contains(told, "failed") {
		t.Errorf("the mark counts for another rollout:\n%s", told)
	}
}

// Without the right to mark it, the rollout goes back all the same and says what is missing, once.
func TestARevisionThatCannotBeMarked(t *testing.T) {
	w := newWeb(t)
	w.start("web:v2").ends(0)
	rights := enough()
	rights["replicasets"] = []string{"get", "list", "watch"}
	w.allow(rights)
	told := w.start("web:crash", "--as", "dev", "--skip-checks").ends(5, "revision 3 is not marked as failed", "the right to patch replicasets in namespace").output()
	if strings.Count(told, "is not marked") != 1 {
		t.Errorf("it is told more than once:\n%s", told)
	}
	w.await("the old version is back", func(m *snapshot) bool { return m.complete() && m.image() == "web:v2" })
}

// A version that failed and was left standing is marked by whoever goes back from it.
func TestAbortMarksWhatHasFailed(t *testing.T) {
	t.Run("Deployment", func(t *testing.T) {
		w := newWeb(t)
		w.start("web:v2").ends(0)
		w.start("web:crash", "--on-failure", "hold").ends(4)
		w.plugin("abort", "deployment/web").ends(0)
		w.runs("web:v2") // as revision 4
		w.plugin("history", "deployment/web", "-o", "wide").ends(0, "old,failed")
		w.plugin("undo", "deployment/web", "--dry-run=server").ends(0, "revision 3 is skipped, since its rollout failed", "to revision 1 (web:v1)")
	})
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		w.set("green", "--steps", "100%").ends(0)
		w.breaks(w.versionOfConfig("color=red"))
		w.set("red", "--steps", "1", "--on-failure", "hold").ends(4)
		w.plugin("abort", w.object).ends(0)
		w.plugin("history", w.object, "-o", "wide").ends(0, "old,failed")
	})
}
