//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// manifest writes a manifest of the Deployment; what is not named stays as it is.
func (w *web) manifest(image, metadata, spec string) string {
	w.Helper()
	file := filepath.Join(w.TempDir(), "web.yaml")
	must(w.TB, os.WriteFile(file, fmt.Appendf(nil, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
%sspec:
%s  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: %s
`, metadata, spec, image), 0o600))
	return file
}

func TestStartOfAManifest(t *testing.T) {
	w := newWeb(t)
	file := w.manifest("web:v2", "  labels: {team: blue}\n  annotations: {example.com/a: b}\n",
		"  minReadySeconds: 1\n  strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}\n  revisionHistoryLimit: 4\n")
	before := w.get()
	// Another manager set the image, the strategy and the deadline.
	w.plugin("start", "-f", file).ends(1, `conflicts with "e2e"`, ".spec.strategy.rollingUpdate.maxSurge",
		`.spec.template.spec.containers[name="app"].image`, "--force-conflicts")
	if after := w.get(); after.ResourceVersion != before.ResourceVersion {
		t.Error("something was written in spite of the conflicts")
	}
	p := w.plugin("start", "-f", file, "--force-conflicts", "--change-cause", "a new web").ends(0, "deployment.apps/web rolled out (revision 2)")
	surge, unavailable := intstr.FromInt32(2), intstr.FromInt32(0)
	w.own.Spec.Strategy.RollingUpdate.MaxSurge, w.own.Spec.Strategy.RollingUpdate.MaxUnavailable = &surge, &unavailable
	w.own.Spec.MinReadySeconds = 1
	w.runs("web:v2")
	w.reached("web:v1", "web:v2", 1, 2, 3)
	w.keeps("2", "0")
	d := w.get()
	if d.Labels["team"] != "blue" || d.Labels["app"] != "web" || d.Annotations["example.com/a"] != "b" || *d.Spec.RevisionHistoryLimit != 4 {
		t.Errorf("what the manifest changes besides the template is not applied: %v %v %d\n%s", d.Labels, d.Annotations, *d.Spec.RevisionHistoryLimit, p.output())
	}
	if history := w.kubectl("rollout", "history", "deployment/web"); !strings.Contains(history, "2         a new web\n") {
		t.Errorf("no change-cause in the history:\n%s", history)
	}

	// The same again: nothing to do. Then the next version by the same manager, without force, and by another.
	w.plugin("start", "-f", file).ends(0, "deployment.apps/web unchanged")
	// It was applied all the same: without the change-cause, and a change of annotations makes a new generation, which the
	// controller has to observe.
	w.catchUp()
	w.await("complete as before", func(m *snapshot) bool { return m.image() == "web:v2" && m.complete() })
	w.runs("web:v2")
	next := w.manifest("web:v3", "  annotations: {example.com/a: c}\n", "")
	w.plugin("start", "-f", next).ends(0, "deployment.apps/web rolled out (revision 3)")
	// What the manifest does not name any more has its default again, as after an apply.
	quarter := intstr.FromString("25%")
	w.own.Spec.Strategy.RollingUpdate.MaxSurge, w.own.Spec.Strategy.RollingUpdate.MaxUnavailable = &quarter, &quarter
	w.own.Spec.MinReadySeconds = 0
	w.runs("web:v3")
	d = w.get()
	if d.Annotations["example.com/a"] != "c" || d.Labels["team"] != "" {
		t.Errorf("not what the second manifest says: %v %v", d.Annotations, d.Labels)
	}
	w.plugin("start", "-f", w.manifest("web:v4", "", ""), "--field-manager", "another").ends(1, `"rollout-plus"`)
	// An earlier version of this program wrote under another name. Neither name is in the other's way.
	w.plugin("start", "-f", w.manifest("web:v2", "", ""), "--field-manager", "kubectl-rollout-plus").ends(0)
	w.plugin("start", "-f", w.manifest("web:v4", "", "")).ends(0)
	w.runs("web:v4")
}

// kubectl apply, server-side and by the same manager, has nothing against what start -f left behind.
func TestAnApplyAfterStartOfAManifest(t *testing.T) {
	w := newWeb(t)
	file := w.manifest("web:v2", "", "")
	w.plugin("start", "-f", file, "--force-conflicts", "--field-manager", "ci").ends(0)
	w.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", file)
	w.runs("web:v2")
	w.kubectl("apply", "--server-side", "--field-manager", "ci", "-f", w.manifest("web:v3", "", ""))
	w.await("complete", func(m *snapshot) bool { return m.image() == "web:v3" && m.complete() })
	w.runs("web:v3")
}

func TestAFailedManifestIsTakenBack(t *testing.T) {
	w := newWeb(t)
	file := w.manifest("web:broken", "", "  minReadySeconds: 3\n  progressDeadlineSeconds: 99\n  strategy: {rollingUpdate: {maxSurge: 50%}}\n")
	w.plugin("start", "-f", file, "--force-conflicts").ends(5, "ImagePullBackOff")
	w.runs("web:v1")
	w.keeps("50%", "1")
}

func TestStartChangesTheEnvironment(t *testing.T) {
	w := newWeb(t)
	w.plugin("start", "deployment/web", "--env", "A=1", "--env", "app:B=x=y", "--change-cause", "A and B").ends(0)
	w.plugin("start", "deployment/web", "--env", "A=2", "--env", "B-", "--env", "C=", "--image", "app=web:v2").ends(0)
	w.runs("web:v2")
	env := w.get().Spec.Template.Spec.Containers[0].Env
	if len(env) != 2 || env[0].Name != "A" || env[0].Value != "2" || env[1].Name != "C" || env[1].Value != "" {
		t.Errorf("environment %v", env)
	}
	// The cause of one change is not that of the next.
	history := w.kubectl("rollout", "history", "deployment/web")
	if !strings.Contains(history, "1         <none>\n2         A and B\n3         <none>\n") {
		t.Errorf("history:\n%s", history)
	}
	w.plugin("start", "deployment/web", "--to-revision", "2", "--change-cause", "back").ends(0, "deployment.apps/web rolled out (revision 4)")
	if env := w.get().Spec.Template.Spec.Containers[0].Env; len(env) != 2 || env[1].Value != "x=y" {
		t.Errorf("environment of revision 2: %v", env)
	}
	w.plugin("start", "deployment/web", "--to-revision", "0").ends(0, "deployment.apps/web rolled out (revision 5)")
	w.runs("web:v2")
	before := w.get()
	w.plugin("start", "deployment/web", "--image", "web:v2").ends(0,
		"deployment.apps/web unchanged: the pod template already is the wanted one (revision 5)")
	w.plugin("start", "deployment/web").ends(0, "unchanged")
	w.plugin("start", "deployment/web", "--image", "*=web:v2", "--env", "A=2").ends(0, "unchanged")
	if after := w.get(); after.ResourceVersion != before.ResourceVersion {
		t.Error("something was written without a change")
	}
}
