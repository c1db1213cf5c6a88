//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestScriptForCI runs the script of docs/json.md for an image that works and for one that crashes.
func TestScriptForCI(t *testing.T) {
	s := newSpace(t)
	s.workload("deploy", "web:v1", "web:v2")
	_, page, _ := strings.Cut(readDocument(t, "json.md"), "## A CI job")
	block := fence.FindStringSubmatch(page)
	if block == nil || block[1] != "sh" || !strings.Contains(block[2], "--hold 30s") {
		t.Fatal("the page has no such script")
	}
	script := s.write(s.dir(), "deploy.sh", strings.Replace(block[2], "--hold 30s", "--hold 1s", 1))
	for image, want := range map[string]int{"web:v3": 0, "web:crash": 5} {
		code, out := s.shell(fmt.Sprintf("cd %s && sh %s %s web %s", s.dir(), script, s.name, image))
		if code != want || !strings.Contains(out, fmt.Sprintf(`"exitCode":%d`, want)) {
			t.Errorf("%s: the script ends with %d, not %d\n%s", image, code, want, out)
		}
	}
}
