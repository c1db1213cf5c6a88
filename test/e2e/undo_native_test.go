//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// workloadManifest is a workload named web of one of the kinds that have revisions.
func workloadManifest(kind, image string) string {
	own := map[string]string{
		"Deployment":  "replicas: 2",
		"StatefulSet": "serviceName: web\n  replicas: 2",
		"DaemonSet":   "updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 100%}}",
	}[kind]
	return fmt.Sprintf(`apiVersion: apps/v1
kind: %s
metadata: {name: web, labels: {app: web}}
spec:
  %s
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: %s
`, kind, own, image)
}

// twins are two namespaces with the same objects. In the one kubectl works, in the other the plugin.
type twins struct {
	testing.TB
	native, ours *space
}

func newTwins(t *testing.T) *twins {
	t.Helper()
	return &twins{TB: t, native: newSpace(t), ours: openSpace(t, t.TempDir())}
}

// both runs kubectl in both.
func (w *twins) both(args ...string) {
	w.Helper()
	native, ours := w.native.begin(args...), w.ours.begin(args...)
	native.ends(0)
	ours.ends(0)
}

// create makes the same objects in both.
func (w *twins) create(verb, manifest string, flags ...string) {
	w.Helper()
	for _, s := range []*space{w.native, w.ours} {
		s.kubectl(append([]string{verb, "-f", s.write(s.dir(), "manifest.yaml", manifest)}, flags...)...)
	}
}

// same runs a command of kubectl rollout in the one and ours in the other, and expects the same of both: what they print,
// how they end, and what becomes of the pod template. It gives what they print.
func (w *twins) same(args ...string) string {
	w.Helper()
	native, ours := w.compare(args...)
	if native.errOut.String() != withoutWay(ours.errOut.String()) {
		w.Errorf("%v: on stderr\n%s\nkubectl's:\n%s", args, ours.output(), native.output())
	}
	return ours.out.String() + withoutWay(ours.errOut.String())
}

// compare is same but for stderr.
func (w *twins) compare(args ...string) (native, ours *process) {
	w.Helper()
	native, ours = w.native.begin(append([]string{"rollout"}, args...)...), w.ours.plugin(args...)
	if (native.code() == 0) != (ours.code() == 0) || native.out.String() != ours.out.String() {
		w.Errorf("%v: exit code %d, kubectl's %d\n%s\nkubectl's:\n%s", args, ours.code(), native.code(), ours.output(), native.output())
	}
	templates := []string{"get", "deployments,statefulsets,daemonsets", "-o", "jsonpath={range .items[*]}{.kind}{.spec.template}{end}"}
	theirsNow, oursNow := w.native.begin(templates...), w.ours.begin(templates...)
	if theirs, now := theirsNow.ends(0).out.String(), oursNow.ends(0).out.String(); theirs != now {
		w.Errorf("%v: the pod templates are %s, kubectl's %s", args, now, theirs)
	}
	return native, ours
}

// withoutWay is a text without the lines that say from which revision to which the plugin goes: kubectl does not tell that.
func withoutWay(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, " goes back from revision ") && !strings.Contains(line, " with the same images (") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// more is same, but that lines on stderr may go on where kubectl's end. It gives what is on stderr.
func (w *twins) more(args ...string) string {
	w.Helper()
	native, ours := w.compare(args...)
	theirs, told := strings.Split(native.errOut.String(), "\n"), strings.Split(withoutWay(ours.errOut.String()), "\n")
	same := len(theirs) == len(told)
	for i := 0; same && i < len(told); i++ {
		same = strings.HasPrefix(told[i], theirs[i])
	}
	if !same {
		w.Errorf("%v: on stderr\n%s\nkubectl's:\n%s", args, ours.output(), native.output())
	}
	return ours.errOut.String()
}

// expectMore is more, where it is known how they begin and what is in the rest.
func (w *twins) expectMore(text, rest string, args ...string) {
	w.Helper()
	told := w.more(args...)
	if after, begins := strings.CutPrefix(told, text); !begins || !strings.Contains(after, rest) || strings.Count(told, "\n") != 1 {
		w.Errorf("%v: tells %q, not %q and %q", args, told, text, rest)
	}
}

// expect is same, and what they print is known.
func (w *twins) expect(text string, args ...string) {
	w.Helper()
	if told := w.same(args...); told != text+"\n" {
		w.Errorf("%v: tells %q, not %q", args, told, text)
	}
}

// Every row of kubectl's undo, side by side.
func TestUndoAsKubectlDoes(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			w := newTwins(t)
			name := strings.ToLower(kind) + ".apps/web"
			object := strings.ToLower(kind) + "/web"
			w.create("create", workloadManifest(kind, "web:v1"))
			w.both("rollout", "status", object)
			noPrevious := "error: no last revision to roll back to"
			if kind == "Deployment" {
				noPrevious = `error: no rollout history found for deployment "web"`
			}
			lists := "'kubectl rollout-plus history " + object + " -n " + w.ours.name + "' lists the revisions"
			w.expectMore(noPrevious, lists, "undo", object)
			for _, image := range []string{"web:v2", "web:v3"} {
				w.both("set", "image", object, "app="+image)
				w.both("rollout", "status", object)
			}
			w.same("undo", object, "--dry-run=client")
			w.same("undo", object, "--dry-run=client", "--to-revision=1")
			matches := " skipped rollback (current template already matches revision 3)"
			if kind != "Deployment" && w.ours.keepsEmptyTimes() {
				matches = " rolled back" // kubectl of today finds no match there
			}
			w.expect(name+matches, "undo", object, "--to-revision=3")
			w.expect(name+matches+" (server dry run)", "undo", object, "--to-revision=3", "--dry-run=server")
			w.expectMore("error: unable to find specified revision 17 in history", lists, "undo", object, "--to-revision=17")
			w.expectMore("error: unable to find specified revision -1 in history", "--to-revision", "undo", object, "--to-revision=-1")
			_, ours := w.compare("undo", object, "--dry-run=server")
			ours.ends(0, "stdout: "+name+" rolled back (server dry run)\n", "\n-  - image: web:v3\n+  - image: web:v2\n")
			w.compare("undo", object, "--dry-run=server", "-o", "name")
			w.expect(name+" rolled back", "undo", object)
			w.both("rollout", "status", object)
			w.expect(name, "undo", strings.ToLower(kind), "web", "--to-revision=1", "-o", "name")
			w.both("rollout", "status", object)
			w.expect(name+" rolled back", "undo", strings.ToLower(kind))
			w.same("undo", object, "-o", "jsonpath={.spec.template.spec.containers[0].image}{'\\n'}")
			w.same("undo", "-f", filepath.Join("/nowhere", "web.yaml"))
			if told := w.same("undo", strings.ToLower(kind), "-l", "app=other"); told != "" {
				t.Errorf("of nothing: %q", told)
			}
		})
	}
}

func TestUndoOfWhatCannotBeUndone(t *testing.T) {
	w := newTwins(t)
	w.create("create", workloadManifest("Deployment", "web:v1"))
	w.both("rollout", "status", "deployment/web")
	w.both("set", "image", "deployment/web", "app=web:v2")
	w.both("rollout", "status", "deployment/web")
	w.both("rollout", "pause", "deployment/web")
	w.expectMore("error: you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
		"'kubectl rollout-plus resume deployment/web -n "+w.ours.name+"'", "undo", "deployment/web")
	w.create("create", `{apiVersion: v1, kind: ReplicationController, metadata: {name: old}, spec: {replicas: 0, selector: {app: old},
  template: {metadata: {labels: {app: old}}, spec: {containers: [{name: app, image: "web:v1"}]}}}}`)
	w.expectMore(`error: no rollbacker has been implemented for "ReplicationController"`, "; only Deployments, StatefulSets and DaemonSets have rollouts",
		"undo", "replicationcontroller/old")
	w.same("undo", "nonsense/web")
	w.expectMore(`Error from server (NotFound): statefulsets.apps "web" not found`, "'kubectl get statefulsets -n "+w.ours.name+"'", "undo", "statefulset/web")
	w.more("undo", "deployment", "web", "nowhere", "neither")
	w.more("undo", "deployment/web", "replicationcontroller/old")
}

// Files, good ones among bad ones, and kubectl's warning about what apply remembers.
func TestUndoOfFiles(t *testing.T) {
	w := newTwins(t)
	manifests := func(image string) string {
		return workloadManifest("Deployment", image) + "---\n" + workloadManifest("StatefulSet", image)
	}
	for _, image := range []string{"web:v1", "web:v2"} {
		w.create("apply", manifests(image))
		w.both("rollout", "status", "deployment/web")
		w.both("rollout", "status", "statefulset/web")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": workloadManifest("Deployment", "any"), "b.yaml": "apiVersion: v1\n", "c/c.yaml": workloadManifest("StatefulSet", "any"),
		"k/kustomization.yaml": "resources: [web.yaml]\n", "k/web.yaml": workloadManifest("StatefulSet", "any"),
	} {
		file := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o600))
	}
	if told := w.same("undo", "-f", dir); !strings.Contains(told, "deployment.apps/web rolled back\n") ||
		!strings.Contains(told, "Object 'Kind' is missing") || !strings.Contains(told, "Warning: resource deployments/web was previously managed with 'kubectl apply'.") {
		t.Errorf("of a malformed file: %s", told)
	}
	w.both("rollout", "status", "deployment/web")
	w.same("undo", "-R", "-f", filepath.Join(dir, "c"))
	w.both("rollout", "status", "statefulset/web")
	w.same("undo", "-k", filepath.Join(dir, "k"))
	w.both("rollout", "status", "statefulset/web")
	w.same("undo", "deployments,statefulsets", "-l", "app=web")
}
