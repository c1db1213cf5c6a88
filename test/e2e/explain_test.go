//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// explained is what explain -o json promises.
type explained struct {
	SchemaVersion int
	Object        struct{ Kind, Name string }
	Phase         string
	InTheWay      bool
	Findings      []struct {
		ID, Severity, Message, Container string
		Count                            int
		Objects                          []struct{ Kind, Name string }
		Evidence, Remedy, Logs           []string
	}
	Notes []string
}

func (s *space) explains(code int, args ...string) explained {
	s.Helper()
	p := s.plugin(append([]string{"explain", "-o", "json"}, args...)...).ends(code)
	var told explained
	if err := json.Unmarshal([]byte(p.out.String()), &told); err != nil {
		s.Fatalf("%v\n%s", err, p.output())
	}
	return told
}

func TestExplain(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("StatefulSet", "db", "db:v1", ""), manifestOf("DaemonSet", "log", "log:v1", ""))
	for _, object := range []string{"deployment/web", "statefulset/db", "daemonset/log"} {
		s.plugin("why", object).ends(0, "nothing stands in the way")
	}
	s.kubectl("set", "image", "deployment/web", "app=web:crash")
	s.kubectl("set", "image", "statefulset/db", "app=db:broken")
	s.kubectl("set", "image", "daemonset/log", "app=log:config-error")
	s.plugin("status", "deployment/web").ends(4)
	s.plugin("status", "statefulset/db").ends(4)
	s.plugin("status", "daemonset/log").ends(4)
	for object, want := range map[string]string{"deployment/web": "CrashLoopBackOff", "statefulset/db": "ImageNotFound", "daemonset/log": "ConfigMapNotFound"} {
		told := s.explains(4, object)
		if told.SchemaVersion != 1 || told.Phase != "failed" || !told.InTheWay || len(told.Findings) == 0 {
			t.Fatalf("%s: got %+v", object, told)
		}
		f := told.Findings[0]
		if f.ID != want || f.Severity != "fatal" || f.Container != "app" || f.Count == 0 || f.Objects[0].Kind != "Pod" || len(f.Remedy) == 0 {
			t.Errorf("%s: got %+v", object, f)
		}
	}
	if f := s.explains(4, "deployment/web").Findings[0]; len(f.Logs) == 0 && !slices.Contains(f.Evidence, unreadLogs) {
		t.Error("no log lines")
	}
	p := s.beginWith([]string{"GITHUB_ACTIONS=true"}, "rollout-plus", "explain", "deployment/web", "--log-lines", "0")
	p.ends(4, "fatal: pod web-", "next: kubectl logs", "::error title=CrashLoopBackOff::pod web-")
	s.plugin("explain", "deployment/web", "--log-lines", "-1").ends(2, "--log-lines")
	s.plugin("explain").ends(2)
	s.plugin("explain", "deployment/none").ends(1, `deployments.apps "none" not found`)
	s.plugin("explain", "configmap/kube-root-ca.crt").ends(2, "is no Deployment, StatefulSet or DaemonSet")
	s.kubectl("rollout", "pause", "deployment/web")
	if told := s.explains(4, "deployment/web"); told.Findings[len(told.Findings)-1].ID != "Paused" && told.Phase != "complete" {
		t.Errorf("got %+v", told)
	}
}

// A StatefulSet waits for the pods that it keeps below its partition, too.
func TestExplainSeesABrokenPodBelowThePartition(t *testing.T) {
	s := newSpace(t)
	s.kubectl("apply", "-f", s.file(manifestOf("StatefulSet", "db", "db:crash", `updateStrategy: {rollingUpdate: {partition: 2}}`)))
	s.kubectl("set", "image", "statefulset/db", "app=db:v2")
	s.kubectl("wait", "statefulset/db", "--for=jsonpath={.status.observedGeneration}=2", "--timeout=2m")
	s.kubectl("wait", "pod/db-0", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff", "--timeout=2m")
	if told := s.explains(4, "statefulset/db"); told.Phase != "failed" || len(told.Findings) != 1 || told.Findings[0].ID != "CrashLoopBackOff" {
		t.Errorf("got %+v", told)
	}
	s.plugin("status", "statefulset/db").ends(4, "pod db-0, container app: CrashLoopBackOff")
}

// That a rollout is open is in its way where somebody holds it, and not while somebody may be driving it.
func TestExplainOfAnOpenRollout(t *testing.T) {
	w := newWeb(t)
	p := w.start("web:v2", "--steps", "1", "--hold", "1h")
	p.tells("ready, watched for 1h0m0s")
	told := w.explains(0, "deployment/web")
	if told.Phase != "standing" || len(told.Findings) != 1 || told.Findings[0].ID != "RolloutOpen" {
		t.Errorf("got %+v", told)
	}
	w.plugin("why", "deployment/web").ends(0, "deployment.apps/web: driven, ", "nothing stands in the way", "a rollout is open at step 1 of 2")
	w.plugin("pause", "deployment/web").ends(0)
	p.ends(6)
	w.plugin("why", "deployment/web").ends(4, "deployment.apps/web: held, ", "where somebody holds it", "rollout-plus resume")
}

// With fewer rights less is told, and that is said: without those to see events and logs the cause still is, and without
// pods there is nothing to tell, which is not the same as nothing in the way.
func TestExplainWithFewRights(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""))
	s.kubectl("set", "image", "deployment/web", "app=web:crash")
	s.plugin("status", "deployment/web").ends(4)
	for i, c := range []struct {
		name, without string
		code          int
		tells         []string
	}{
		{"all that it takes", "", 4, []string{"fatal: pod web-", "CrashLoopBackOff", lastLines}},
		{"no events", "events", 4, []string{"CrashLoopBackOff", lastLines, "not everything is seen: the right to list events in namespace"}},
		{"no logs", "pods/log", 4, []string{"CrashLoopBackOff", "exit code 3", "not everything is seen: the right to get pods/log in namespace"}},
		{"no pods", "pods", 1, []string{"the right to list pods in namespace", `cannot be told what stands in the way of deployment "web"`}},
		{"no ReplicaSets", "replicasets", 1, []string{"replicasets", "forbidden"}},
		{"no Deployment", "deployments", 1, []string{`cannot get resource "deployments"`}},
	} {
		rights := map[string][]string{"deployments": {"get"}, "replicasets": {"list"}, "pods": {"list"}, "pods/log": {"get"}, "events": {"list"}}
		delete(rights, c.without)
		user := fmt.Sprint("dev-", i)
		s.allowTo(user, rights)
		p := s.plugin("explain", "deployment/web", "--as", user).ends(c.code, c.tells...)
		if strings.Contains(p.output(), "nothing stands in the way") || c.without == "" && p.errOut.String() != "" {
			t.Errorf("%s: %s", c.name, p.output())
		}
		if c.code == 4 && c.without != "" {
			notes := s.explains(4, "deployment/web", "--as", user).Notes
			if !slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, c.without) }) {
				t.Errorf("%s: notes: %q", c.name, notes)
			}
		}
	}
}
