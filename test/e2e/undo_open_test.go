//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"
)

// Going back from an open rollout to a revision is one move: what it came from is not brought back on the way, and nothing is
// given up for a revision that is not there.
func TestUndoFromAnOpenRolloutGoesStraightToARevision(t *testing.T) {
	for name, flags := range map[string][]string{"its own limits": nil, "other limits": {"--max-surge", "2", "--max-unavailable", "0"}} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t)
			w.start("web:v2").ends(0)
			w.runs("web:v2")
			w.detached(flags...)
			before := w.get()
			const refusal = "unable to find specified revision 99 in history"
			w.plugin("undo", "deployment/web", "--to-revision", "99").ends(1, refusal, "'kubectl rollout-plus history deployment/web -n "+w.name+"'")
			w.plugin("undo", "deployment/web", "--to-revision", "99", "--steps", "50%").ends(1, refusal)
			if after := w.get(); after.Generation != before.Generation || after.Annotations["rollout-plus/rollout"] != before.Annotations["rollout-plus/rollout"] {
				t.Fatalf("the rollout was touched: generation %d, then %d", before.Generation, after.Generation)
			}
			w.plugin("undo", "deployment/web", "--to-revision", "1", "--change-cause", "straight").ends(0, "rolling back to what was revision 1", "deployment.apps/web rolled back")
			w.runs("web:v1")
			if cause := w.get().Annotations["kubernetes.io/change-cause"]; cause != "straight" {
				t.Errorf("the change cause is %q", cause)
			}
			since := versionOf(before)
			w.replay(func(_, m *snapshot) {
				if m.deployment != nil && versionOf(m.deployment) > since && m.image() == "web:v2" {
					t.Errorf("it went back over the version that the rollout came from")
					since = versionOf(m.deployment) + 1<<32 // once is enough
				}
			})
			w.keepsBut(0, "2", "1")
		})
	}
}

// The same of StatefulSets and DaemonSets.
func TestUndoOfASteppedWorkloadGoesStraightToARevision(t *testing.T) {
	steppedKinds(t, func(t *testing.T, w *stepped) {
		w.set("red").ends(0)
		p := w.holding("green", 2)
		p.signal(syscall.SIGKILL)
		p.code()
		before := w.strategy()
		w.plugin("undo", w.object, "--to-revision", "99").ends(1, "unable to find specified revision 99 in history")
		if after := w.strategy(); after != before {
			t.Fatalf("the rollout was touched: %s, then %s", before, after)
		}
		red := w.versionOfConfig("color=red")
		told := w.plugin("undo", w.object, "--to-revision", "1").ends(0, "rolling back to what was revision 1", "rolled back").output()
		if strings.Contains(told, "revision 2") {
			t.Errorf("it tells of the revision that the rollout came from:\n%s", told)
		}
		if ready, of := w.countNow(red); ready != w.pods || of != 0 {
			t.Errorf("%d pods are ready, %d of the version that the rollout came from", ready, of)
		}
		if record := w.strategy(); strings.Contains(record, "toRevision") {
			t.Errorf("the rollout is still open: %s", record)
		}
		w.keeps()
	})
}

// countNow counts the pods that are ready now, in all and of this version.
func (w *stepped) countNow(version string) (ready, of int) {
	w.Helper()
	now := w.now()
	return w.count(&now, version)
}
