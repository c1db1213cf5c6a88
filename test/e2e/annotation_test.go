//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// In GitHub Actions every command that finds a cause annotates it, on standard error; what is on standard output is kubectl's.
func TestAnnotations(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("StatefulSet", "db", "db:v1", ""))
	s.kubectl("set", "image", "deployment/web", "app=web:crash")
	s.kubectl("set", "image", "statefulset/db", "app=db:crash")
	s.plugin("status", "deployment/web", "statefulset/db").ends(4)
	const crash = "::error title=CrashLoopBackOff::pod "
	inActions := func(code int, args ...string) *process {
		t.Helper()
		p := s.beginWith([]string{"GITHUB_ACTIONS=true"}, append([]string{"rollout-plus"}, args...)...).ends(code)
		if strings.Contains(p.out.String(), "::error") || !strings.Contains(p.errOut.String(), crash) {
			t.Errorf("%v\n%s", args, p.output())
		}
		return p
	}
	inActions(4, "status", "statefulset/db").ends(4, crash+"db-")
	const object = "deployment/web"
	for _, flags := range [][]string{nil, {"-o", "json"}, {"--watch=false", "--exit-code"}} {
		inActions(4, append([]string{"status", object}, flags...)...).ends(4, crash+"web-")
	}
	for _, object := range []string{"deployment/web", "statefulset/db"} {
		inActions(0, "status", object, "--watch=false", "-o", "json")
		look := inActions(0, "status", object, "--watch=false")
		if told := s.begin("rollout", "status", object, "--watch=false").ends(0).out.String(); told != look.out.String() {
			t.Errorf("kubectl tells %q\n%s", told, look.output())
		}
	}
	if p := inActions(4, "status", object, "--log-lines", "0"); strings.Contains(p.output(), "| ") {
		t.Errorf("--log-lines 0\n%s", p.output())
	}
	s.plugin("undo", object, "--to-revision", "1", "--wait").ends(0)
	inActions(4, "undo", object, "--to-revision", "2", "--wait", "--log-lines", "1").ends(4, lastLines, "rolled back")
	p := s.plugin("status", object, "--log-lines", "0").ends(4)
	if strings.Contains(p.output(), "::") || strings.Contains(p.output(), "| ") {
		t.Errorf("outside of GitHub Actions\n%s", p.output())
	}
	inActions(4, "restart", "deployment/web", "--force", "--wait").ends(4, lastLines, "restarted")
	for _, args := range [][]string{{"status", "deployment/web"}, {"undo", "deployment/web"}, {"restart", "deployment/web"}, {"config", "set", "web", "a=b"}} {
		s.plugin(append(args, "--log-lines", "-1")...).ends(2, "--log-lines")
	}
}
