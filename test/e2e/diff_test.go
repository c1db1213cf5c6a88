//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestDiff compares revisions of the three kinds.
func TestDiff(t *testing.T) {
	t.Parallel()
	names := map[string]string{"deploy": "deployment.apps/web", "sts": "statefulset.apps/web", "ds": "daemonset.apps/web"}
	for short := range kinds {
		t.Run(short, func(t *testing.T) {
			s := newSpace(t)
			s.workload(short, "web:v1", "web:v2")
			s.kubectl("set", "env", short+"/web", "A=1")
			s.kubectl("rollout", "status", short+"/web")
			expect := func(code int, want string, args ...string) {
				t.Helper()
				p := s.plugin(append([]string{"diff"}, args...)...).ends(code)
				if got := p.out.String(); got != want {
					t.Errorf("%q: got\n%s\nwant\n%s", args, got, want)
				}
			}
			expect(1, strings.ReplaceAll(`--- NAME revision 2
+++ NAME revision 3
@@ -3,5 +3,8 @@
     app: web
 spec:
   containers:
-  - image: web:v2
+  - env:
+    - name: A
+      value: "1"
+    image: web:v2
     name: app
`, "NAME", names[short]), short, "web")
			expect(1, strings.ReplaceAll(`--- NAME revision 2
+++ NAME revision 1
@@ -3,5 +3,5 @@
     app: web
 spec:
   containers:
-  - image: web:v2
+  - image: web:v1
     name: app
`, "NAME", names[short]), short+"/web", "--revision", "2", "--revision", "1")
			expect(0, "", short+"/web", "--revision", "3")
			expect(0, "", short+"/web", "--revision", "1", "--revision", "1")
			s.plugin("diff", short+"/web", "--revision", "1").ends(1, "revision 1\n", "revision 3\n", "-  - image: web:v1\n", "+    image: web:v2\n")
			s.plugin("diff", short+"/web", "--revision", "1", "--color", "always").ends(1, "\x1b[31m-  - image: web:v1\x1b[0m\n")
			s.plugin("diff", short+"/web", "--revision", "7").ends(2, "error: unable to find the specified revision: "+names[short]+" has no revision 7")
			s.plugin("diff", short+"/none").ends(2, `Error from server (NotFound): `, `"none" not found`)

			s.kubectl("rollout", "restart", short+"/web")
			s.kubectl("rollout", "status", short+"/web")
			s.plugin("diff", short+"/web").ends(1, "+    kubectl.kubernetes.io/restartedAt: ")
		})
	}
}

// TestDiffWithoutHistory covers what is not there yet.
func TestDiffWithoutHistory(t *testing.T) {
	s := newSpace(t)
	s.workload("deploy", "web:v1")
	s.plugin("diff", "deploy/web").ends(2, "error: deployment.apps/web has no revision before the current one to compare it with; 'kubectl rollout-plus history deployment/web -n ")
	s.kubectl("rollout", "pause", "deploy/web")
	s.kubectl("set", "image", "deploy/web", "app=web:v2")
	s.plugin("diff", "deploy/web").ends(1, "--- deployment.apps/web revision 1\n+++ deployment.apps/web not rolled out yet\n", "+  - image: web:v2\n")
}

// TestDiffOutside hands files to the program of KUBECTL_EXTERNAL_DIFF, and leaves none behind.
func TestDiffOutside(t *testing.T) {
	s := newSpace(t)
	s.workload("deploy", "web:v1", "web:v2")
	temporary := t.TempDir()
	program := s.write(s.dir(), "differ", "#!/bin/sh\nls -ld \"$(dirname \"$1\")\" | cut -c1-10\ncat \"$1\" \"$2\"\necho \"arguments $1 $2 $3\"\nexit ${DIFFER_CODE:-1}\n")
	must(t, os.Chmod(program, 0o755))
	run := func(code, differ string, texts ...string) {
		t.Helper()
		p := s.beginWith([]string{"TMPDIR=" + temporary, "DIFFER_CODE=" + differ, "KUBECTL_EXTERNAL_DIFF=" + program + " --flag=1 $(no)"}, "rollout-plus", "diff", "deploy/web")
		p.ends(map[string]int{"same": 0, "differs": 1, "trouble": 2}[code], texts...)
	}
	run("differs", "1", "drwx------\n", "  - image: web:v1\n", "  - image: web:v2\n", "arguments "+temporary, "deployment.apps.web-revision-1.yaml", "deployment.apps.web-revision-2.yaml --flag=1\n")
	run("same", "0")
	run("trouble", "3", "error: failed to run ")
	s.beginWith([]string{"KUBECTL_EXTERNAL_DIFF=no-such-program"}, "rollout-plus", "diff", "deploy/web").ends(2, `error: failed to run "no-such-program"`, "; KUBECTL_EXTERNAL_DIFF names the program")
	left, err := os.ReadDir(temporary)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
