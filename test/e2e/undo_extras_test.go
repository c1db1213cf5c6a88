//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
)

// withEnv gives a manifest's container a variable that nothing else sets.
func withEnv(manifest string) string { return manifest + "        env: [{name: EXTRA, value: here}]\n" }

// Without the flag kubectl apply does not remove what undo brought back (kubernetes issue 94698), with it it does.
func TestUndoAndTheNextApply(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		for flag, left := range map[string]string{"--sync-last-applied": "", "--sync-last-applied=false": "EXTRA"} {
			t.Run(kind+" "+flag, func(t *testing.T) {
				s := newSpace(t)
				object := strings.ToLower(kind) + "/web"
				apply := func(manifest string) {
					t.Helper()
					s.kubectl("apply", "-f", s.write(s.dir(), "manifest.yaml", manifest))
				}
				env := func() string {
					t.Helper()
					return s.kubectl("get", object, "-o", "jsonpath={.spec.template.spec.containers[0].env[*].name}")
				}
				apply(withEnv(workloadManifest(kind, "web:v1")))
				s.kubectl("rollout", "status", object)
				apply(workloadManifest(kind, "web:v2"))
				if now := env(); now != "" {
					t.Fatalf("the second apply leaves %q", now)
				}
				p := s.plugin("undo", object, flag).ends(0, "rolled back")
				if warned := strings.Contains(p.errOut.String(), "was previously managed with 'kubectl apply'"); warned != (left != "") {
					t.Errorf("warned: %v\n%s", warned, p.output())
				}
				if now := env(); now != "EXTRA" {
					t.Errorf("undo brings back %q", now)
				}
				if told := s.kubectl("apply", "-f", s.write(s.dir(), "same.yaml", withEnv(workloadManifest(kind, "web:v1")))); left == "" && !strings.HasSuffix(told, " unchanged\n") {
					t.Errorf("applying what undo brought back: %s", told)
				}
				if left != "" {
					return
				}
				apply(workloadManifest(kind, "web:v3"))
				if now := env(); now != left {
					t.Errorf("the next apply leaves %q", now)
				}
			})
		}
	}
}

// The revision's own cause comes back with it, a cause that is given stands in its place, and a stale one goes.
func TestUndoAndTheChangeCause(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/web"
			cause := func(want string, flags ...string) {
				t.Helper()
				s.plugin(append([]string{"undo", object}, flags...)...).ends(0, "rolled back")
				if now := s.kubectl("get", object, "-o", `jsonpath={.metadata.annotations.kubernetes\.io/change-cause}`); now != want {
					t.Errorf("undo %v: the cause is %q, not %q", flags, now, want)
				}
				s.awaitObserved(object)
				history := strings.TrimSpace(s.kubectl("rollout", "history", object))
				if row := " " + cmp.Or(want, "<none>"); !strings.HasSuffix(history, row) {
					t.Errorf("undo %v: the cause is not %q in the history\n%s", flags, want, history)
				}
			}
			s.kubectl("create", "-f", s.write(s.dir(), "manifest.yaml", workloadManifest(kind, "web:v1")))
			s.kubectl("rollout", "status", object)
			for _, why := range []string{"two", "three"} {
				s.patchNow(kind, fmt.Sprintf(`{"metadata":{"annotations":{"kubernetes.io/change-cause":%q}},
					"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:%s"}]}}}}`, why, why))
				s.kubectl("rollout", "status", object)
			}
			cause("two")
			cause("", "--to-revision=1")
			cause("because", "--change-cause", "because")
			cause("", "--change-cause", "", "--to-revision=3")
		})
	}
}

// So it is step by step.
func TestUndoInStepsAndTheChangeCause(t *testing.T) {
	w := newWeb(t)
	for _, why := range []string{"two", "three"} {
		w.start("web:"+why, "--change-cause", why).ends(0)
	}
	for i, c := range []struct {
		want  string
		flags []string
	}{
		{"two", []string{"undo", "deployment/web", "--steps", "1"}},
		{"<none>", []string{"undo", "deployment/web", "--steps", "1", "--to-revision", "1"}},
		{"because", []string{"undo", "deployment/web", "--steps", "1", "--change-cause", "because"}},
		{"three", []string{"start", "deployment/web", "--to-revision", "3"}},
		// It uses the ReplicaSet again that was made because.
		{"<none>", []string{"start", "deployment/web", "--image", "web:two"}},
	} {
		w.plugin(c.flags...).ends(0, "rolled out")
		if history := w.kubectl("rollout", "history", "deployment/web"); !strings.Contains(history, fmt.Sprintf("\n%d         %s\n", 4+i, c.want)) {
			t.Errorf("%v: the cause is not %q in\n%s", c.flags, c.want, history)
		}
	}
}

// Several are waited for under one deadline, and each that is late is named.
func TestUndoWaitsForSeveral(t *testing.T) {
	s := newSpace(t)
	var manifest, late string
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		manifest += workloadManifest(kind, "web:v1") + "---\n"
		late += workloadManifest(kind, "web:never-ready") + "---\n"
	}
	// Otherwise the StatefulSet's controller would wait for the pod that never becomes ready.
	manifest = strings.ReplaceAll(manifest, "serviceName: web", "serviceName: web\n  podManagementPolicy: Parallel")
	late = strings.ReplaceAll(late, "serviceName: web", "serviceName: web\n  podManagementPolicy: Parallel")
	for _, text := range []string{manifest, strings.ReplaceAll(manifest, "web:v1", "web:v2")} {
		s.kubectl("apply", "-f", s.write(s.dir(), "manifest.yaml", text))
		for _, object := range []string{"deployment/web", "statefulset/web", "daemonset/web"} {
			s.kubectl("rollout", "status", object)
		}
	}
	all := "deployments,statefulsets,daemonsets"
	s.plugin("undo", all, "--wait").ends(0, "deployment.apps/web rolled back", "statefulset.apps/web rolled back", "daemonset.apps/web rolled back")
	for _, object := range []string{"deployment/web", "statefulset/web", "daemonset/web"} {
		if told := s.kubectl("rollout", "status", object, "--watch=false"); !strings.Contains(told, "success") && !strings.Contains(told, "complete") {
			t.Errorf("%s is not complete: %s", object, told)
		}
	}
	s.kubectl("apply", "-f", s.write(s.dir(), "manifest.yaml", late))
	s.kubectl("apply", "-f", s.write(s.dir(), "manifest.yaml", manifest))
	p := s.plugin("undo", all, "--wait", "--timeout", "5s").ends(124)
	late = p.errOut.String()
	for _, name := range []string{`deployment "web"`, `statefulset "web"`, `daemonset "web"`} {
		if !strings.Contains(late, name) || strings.Count(late, "timed out waiting for the condition") != 3 {
			t.Errorf("does not tell that %s is late\n%s", name, p.output())
		}
	}
}

// Undo takes no more rights than kubectl's does, and those to watch only where it has to wait.
func TestTheRightsThatUndoNeeds(t *testing.T) {
	s := newSpace(t)
	rights := map[string][]string{
		"deployments": {"get", "patch"}, "replicasets": {"list"},
		"statefulsets": {"get", "patch"}, "daemonsets": {"get"}, "controllerrevisions": {"list"},
	}
	s.allow(rights)
	objects := []string{"deployment/web", "statefulset/web", "daemonset/web"}
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		s.kubectl("create", "-f", s.write(s.dir(), "manifest.yaml", workloadManifest(kind, "web:v1")))
	}
	for _, object := range objects {
		s.kubectl("rollout", "status", object)
		s.kubectl("set", "image", object, "app=web:v2")
		s.kubectl("rollout", "status", object)
	}
	s.plugin("undo", "deployment/web", "--as", "dev").ends(0, "deployment.apps/web rolled back")
	s.plugin("undo", "statefulset/web", "--as", "dev", "--wait").ends(1, "statefulset.apps/web rolled back",
		"the right to list and watch statefulsets is missing")
	s.plugin("undo", "daemonset/web", "--as", "dev").ends(1, `cannot patch resource "daemonsets"`)
	s.awaitObserved("statefulset/web")
	s.plugin("undo", "statefulset/web", "--as", "dev", "--change-cause", "why").ends(0, "statefulset.apps/web rolled back",
		`its history goes on to tell the earlier one: cannot patch controllerrevision "web-`)
}

// To go back from an open rollout is to abort it, and the flags of undo count there, too.
func TestUndoOfAnOpenRolloutHeedsItsFlags(t *testing.T) {
	w := newWeb(t)
	applied := w.write(w.dir(), "applied.yaml", withEnv(workloadManifest("Deployment", "web:v9")))
	annotation := func(key string) string {
		t.Helper()
		return w.kubectl("get", "deployment/web", "-o", `jsonpath={.metadata.annotations.`+key+`}`)
	}
	history := func(want string) {
		t.Helper()
		if told := w.kubectl("rollout", "history", "deployment/web"); !strings.HasSuffix(strings.TrimSpace(told), want) {
			t.Errorf("no %q in\n%s", want, told)
		}
	}
	const warning, cause = "was previously managed with 'kubectl apply'", `kubernetes\.io/change-cause`
	w.kubectl("apply", "set-last-applied", "-f", applied, "--create-annotation")
	w.detached()
	p := w.plugin("undo", "deployment/web", "--change-cause", "too slow", "--sync-last-applied").ends(0, "stdout: deployment.apps/web rolled back\n")
	if strings.Contains(p.output(), warning) {
		t.Errorf("it warns of what it has done\n%s", p.output())
	}
	if text := annotation(`kubectl\.kubernetes\.io/last-applied-configuration`); !strings.Contains(text, `"image":"web:v1"`) || strings.Contains(text, "EXTRA") {
		t.Errorf("last-applied is %s", text)
	}
	if now := annotation(cause); now != "too slow" {
		t.Errorf("the cause is %q", now)
	}
	history("3         too slow")
	w.detached()
	w.plugin("undo", "deployment/web").ends(0, warning, "rolled back")
	history("5         too slow")
	w.detached()
	w.plugin("undo", "deployment/web", "--steps", "1", "--change-cause", "once more").ends(0, "rolled back")
	history("7         once more")
	w.detached()
	w.plugin("undo", "deployment/web", "--change-cause", "").ends(0, "rolled back")
	if now := annotation(cause); now != "" {
		t.Errorf("the cause is still %q", now)
	}
	history("9         <none>")
	w.runs("web:v1")
}
