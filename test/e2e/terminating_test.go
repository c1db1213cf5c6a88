//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// clings keeps the present pods of the label app from ending until the returned function is called.
func (s *space) clings(app string) (release func()) {
	s.Helper()
	patch := func(finalizers string) {
		for _, pod := range strings.Fields(s.kubectl("get", "pods", "-l", "app="+app, "-o", "jsonpath={.items[*].metadata.name}")) {
			s.begin("patch", "pod", pod, "--type=merge", "-p", `{"metadata":{"finalizers":`+finalizers+`}}`).code()
		}
	}
	patch(`["rollout-plus.test/clings"]`)
	release = func() { patch("null") }
	s.Cleanup(release) // or its namespace would never end
	return release
}

// Old pods may take their time to end after the last step: that is said, and waited for where it is asked for.
func TestOldPodsThatStillEnd(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", "revisionHistoryLimit: 1"))
	release := s.clings("web")
	told := strings.TrimSpace(s.plugin("start", "deployment/web", "--image", "web:v2").ends(0).out.String())
	if last := told[strings.LastIndex(told, "\n")+1:]; !strings.HasPrefix(last, "2 pods that were told to end are still there, ") {
		t.Errorf("the last line is %q", last)
	}
	ending := 2
	if s.kubectl("get", "deployment/web", "-o", "jsonpath={.status.terminatingReplicas}") == "" {
		ending = 0 // an older server does not count them, and a rollout that is complete is not looked into
	}
	if d := s.plugin("status", "deployment/web", "-o", "json").ends(0).documents()["web"]; d.Counts.Terminating != ending || d.Phase != "complete" {
		t.Errorf("got %+v", d)
	}
	p := s.plugin("start", "deployment/web", "--image", "web:v1", "--wait-terminated")
	p.tells("ending: 2 pods that were told to end are still there")
	release()
	p.ends(0, "web rolled out")
	s.clings("web")
	p = s.plugin("start", "deployment/web", "--image", "web:v3", "-o", "json", "--wait-terminated", "--timeout", "20s").ends(124, "the rollout is complete, and 2 pods that were told to end")
	if events := p.events(); *events[len(events)-1].ExitCode != 124 {
		t.Errorf("got %+v", events[len(events)-1])
	}
	p = s.plugin("undo", "deployment/web", "--wait", "--wait-terminated", "--timeout", "3s").ends(124)
	if told := p.output(); strings.Contains(told, "successfully") {
		t.Errorf("they have not ended: %s", told)
	}
	s.clings("web")()
	s.plugin("restart", "deployment/web", "--wait", "--wait-terminated").ends(0)
}
