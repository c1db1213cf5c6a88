//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// statusDocument is a line of status -o json, by the names that the documentation promises.
type statusDocument struct {
	SchemaVersion                     int
	Kind, APIVersion, Namespace, Name string
	Phase, Message                    string
	Revision                          int
	Counts                            struct{ Desired, Updated, Ready, Available, Total, Old, Unavailable, Terminating int }
	Step                              *struct{ Step, Steps, Target int }
	Conditions                        []struct{ Type, Status, Reason, Message string }
	Finding                           *struct{ Reason, Pod, Container string }
}

// documents are the JSON documents on standard output by the objects' names, of which there is nothing else.
func (p *process) documents() map[string]statusDocument {
	p.t.Helper()
	found := map[string]statusDocument{}
	for line := range strings.Lines(p.out.String()) {
		var document statusDocument
		if err := json.Unmarshal([]byte(line), &document); err != nil || document.SchemaVersion != 1 || found[document.Name].Name != "" {
			p.t.Fatalf("not a document of its own: %q: %v", line, err)
		}
		found[document.Name] = document
	}
	return found
}

// manifestOf is a workload of two pods, or of as many as there are nodes.
func manifestOf(kind, name, image, spec string) string {
	if spec != "" {
		spec = ", " + spec
	}
	if kind != "DaemonSet" {
		spec += ", replicas: 2"
	}
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: %[1]s, metadata: {name: %[2]s, labels: {shop: "yes"}}, spec: {selector: {matchLabels: {app: %[2]s}},
 template: {metadata: {labels: {app: %[2]s}}, spec: {containers: [{name: app, image: %[3]q}]}}%[4]s}}
`, kind, name, image, spec)
}

// file writes manifests into a folder of the test's own, and gives its path.
func (s *space) file(manifests ...string) string {
	s.Helper()
	f, err := os.CreateTemp(filepath.Dir(s.kubeconfig), "*.yaml")
	must(s.TB, err)
	_, err = f.WriteString(strings.Join(manifests, "---\n"))
	must(s.TB, err)
	must(s.TB, f.Close())
	return f.Name()
}

// rolledOut applies manifests, and waits until kubectl says that they are rolled out.
func (s *space) rolledOut(manifests ...string) {
	s.Helper()
	file := s.file(manifests...)
	s.kubectl("apply", "-f", file)
	s.kubectl("rollout", "status", "-f", file)
}

func TestStatusOfSeveralWithAMalformedFileAmongThem(t *testing.T) {
	s := newSpace(t)
	dir := filepath.Join(filepath.Dir(s.kubeconfig), "shop", "inner")
	must(t, os.MkdirAll(dir, 0o700))
	for path, text := range map[string]string{
		"../web.yaml": manifestOf("Deployment", "web", "web:v1", ""), "db.yaml": manifestOf("StatefulSet", "db", "db:v1", ""),
		"agent.yaml": manifestOf("DaemonSet", "agent", "agent:v1", ""), "broken.yaml": `{"apiVersion": "apps/v1", "ind": "Deployment", "metadata": {"name": "x"}}`,
	} {
		must(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	s.begin("apply", "-R", "-f", filepath.Dir(dir)).ends(1)
	for _, object := range []string{"deployment/web", "statefulset/db", "daemonset/agent"} {
		s.kubectl("rollout", "status", object)
	}
	for _, args := range [][]string{
		{"-R", "-f", filepath.Dir(dir)},
		{"-f", filepath.Dir(dir)},
		{"deployment/web", "deployment/none", "statefulset/db", "daemonset/agent", "statefulset/none"},
		{"deployment", "none", "web", "nothing"},
		{"deployments,statefulsets,daemonsets"},
		{"deployments,statefulsets", "-l", "shop=yes"},
		{"deployments", "-l", "shop=no"},
		{"configmap/kube-root-ca.crt"},
	} {
		native, ours := s.begin(append([]string{"rollout", "status"}, args...)...), s.plugin(append([]string{"status"}, args...)...)
		if native.code() != ours.code() || !ours.tellsAs(native) {
			t.Errorf("%v\nkubectl: %s\nthe plugin: %s", args, native.output(), ours.output())
		}
	}
	s.plugin("status", "-R", "-f", filepath.Dir(dir)).ends(1, "Object 'Kind' is missing", `daemon set "agent" successfully rolled out`, `deployment "web" successfully`)
	documents := s.plugin("status", "deployments,statefulsets,daemonsets", "-o", "json").ends(0).documents()
	for name, kind := range map[string]string{"web": "Deployment", "db": "StatefulSet", "agent": "DaemonSet"} {
		d := documents[name]
		if d.Kind != kind || d.APIVersion != "apps/v1" || d.Namespace != s.name || d.Phase != "complete" || d.Revision != 1 ||
			d.Counts.Desired < 2 || d.Counts.Available != d.Counts.Desired || d.Finding != nil || d.Step != nil || d.Message == "" {
			t.Errorf("got %+v", d)
		}
	}
}

// Of fifty that roll out at once one fails: it is told with its cause, and the others are waited for.
func TestStatusOfFifty(t *testing.T) {
	s := newSpace(t)
	var manifests []string
	for i := range 50 {
		manifests = append(manifests, manifestOf("Deployment", fmt.Sprintf("web-%02d", i), "web:v1", ""))
	}
	s.rolledOut(manifests...)
	for i := range manifests {
		manifests[i] = strings.Replace(manifests[i], "web:v1", map[bool]string{true: "web:crash", false: "web:slow"}[i == 23], 1)
	}
	s.kubectl("apply", "-f", s.file(manifests...))
	p := s.plugin("status", "deployments", "-l", "shop=yes", "--timeout", "90s").ends(4, `error: deployment "web-23": the rollout failed: pod web-23-`, "CrashLoopBackOff")
	if got := strings.Count(p.out.String(), "successfully rolled out\n"); got != 49 || strings.Count(p.errOut.String(), "error") != 1 {
		t.Errorf("%d are rolled out\n%s", got, p.output())
	}
	for line := range strings.Lines(p.out.String()) {
		if !strings.HasPrefix(line, "Waiting for deployment") && !strings.HasPrefix(line, `deployment "web-`) {
			t.Errorf("not a line of kubectl's: %q", line)
		}
	}
	phases := map[string]int{}
	for _, document := range s.plugin("status", "deployments", "-o", "json").ends(4).documents() {
		phases[document.Phase]++
	}
	if want := map[string]int{"complete": 49, "failed": 1}; !maps.Equal(phases, want) {
		t.Errorf("got %v, want %v", phases, want)
	}
}

func TestStatusTellsWhyASetFails(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("StatefulSet", "db", "db:v1", ""), manifestOf("DaemonSet", "agent", "agent:v1", ""))
	s.kubectl("set", "image", "statefulset/db", "app=db:crash")
	s.kubectl("set", "image", "daemonset/agent", "app=agent:broken")
	s.plugin("status", "statefulset/db", "daemonset/agent").ends(4, "Waiting for 1 pods to be ready...\n",
		"failed: pod db-1, container app: CrashLoopBackOff", "next: kubectl logs db-1 -c app -n "+s.name,
		`statefulset "db": the rollout failed: pod db-1, container app: CrashLoopBackOff`, "exit code 3", lastLines,
		`daemonset "agent": the rollout failed: pod agent-`, "ImagePullBackOff", "'kubectl rollout-plus undo daemonset/agent -n "+s.name+"' goes back")
	documents := s.plugin("status", "statefulset/db", "daemonset/agent", "-o", "json").ends(4).documents()
	for name, reason := range map[string]string{"db": "CrashLoopBackOff", "agent": "ImagePullBackOff"} {
		if d := documents[name]; d.Phase != "failed" || d.Revision != 2 || d.Finding == nil || d.Finding.Reason != reason || d.Finding.Container != "app" {
			t.Errorf("got %+v", d)
		}
	}
	for _, object := range []string{"statefulset/db", "daemonset/agent"} {
		s.plugin("status", object, "--watch=false", "--exit-code").ends(4, "the rollout failed: pod ")
		for name, d := range s.plugin("status", object, "--watch=false", "-o", "json").ends(0).documents() {
			if d.Phase != "failed" || d.Finding == nil {
				t.Errorf("%s: got %+v", name, d)
			}
		}
	}
	watching := s.plugin("status", "daemonset/agent", "--watch=false").ends(0, "Waiting for daemon set")
	if watching.errOut.String() != "" {
		t.Errorf("--watch=false tells more than kubectl\n%s", watching.output())
	}
}

// Where no pod runs the revision before any more, it is there to go back to all the same.
func TestStatusOfASetWhosePodsAllFail(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("StatefulSet", "db", "db:v1", ""))
	s.kubectl("scale", "statefulset/db", "--replicas=1")
	s.kubectl("rollout", "status", "statefulset/db")
	s.kubectl("set", "image", "statefulset/db", "app=db:crash")
	s.plugin("status", "statefulset/db").ends(4, `statefulset "db": the rollout failed: pod db-0, container app: CrashLoopBackOff`,
		"'kubectl rollout-plus undo statefulset/db -n "+s.name+"' goes back")
}

// A StatefulSet or DaemonSet has no condition that tells that its pods are refused: only its events do.
func TestStatusAndExplainOfSetsWhosePodsAreRefused(t *testing.T) {
	s := newSpace(t)
	s.kubectl("label", "namespace", s.name, "pod-security.kubernetes.io/enforce=restricted")
	for kind, name := range map[string]string{"StatefulSet": "db", "DaemonSet": "log"} {
		s.kubectl("apply", "-f", s.file(manifestOf(kind, name, name+":v1", "")))
		object := strings.ToLower(kind) + "/" + name
		s.plugin("status", object).ends(4, "the rollout failed: "+strings.ToLower(kind)+" "+name+": PodSecurityViolated (FailedCreate)", `violates PodSecurity "restricted:latest"`)
		told := s.explains(4, object)
		if told.Phase != "failed" || len(told.Findings) != 1 || told.Findings[0].ID != "PodSecurityViolated" || told.Findings[0].Objects[0].Kind != kind {
			t.Errorf("got %+v", told)
		}
	}
}

func TestStatusOfWhatIsNotWaitedFor(t *testing.T) {
	s := newSpace(t)
	onDelete := "updateStrategy: {type: OnDelete}"
	s.kubectl("apply", "-f", s.file(manifestOf("StatefulSet", "manual", "db:v1", onDelete), manifestOf("DaemonSet", "agent", "agent:v1", onDelete)))
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""),
		manifestOf("StatefulSet", "db", "db:v1", "updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}"))
	s.kubectl("wait", "statefulset/manual", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=2m")
	s.kubectl("set", "image", "statefulset/db", "app=db:v2")
	s.plugin("status", "statefulset/db").ends(0, "partitioned roll out complete: 1 new pods have been updated...",
		`stderr: statefulset "db" keeps 1 of 2 pods at the earlier revision (partition 1)`)
	if told := s.plugin("status", "statefulset/db", "--watch=false").ends(0).errOut.String(); told != "" {
		t.Errorf("a look tells more than kubectl: %s", told)
	}
	for _, object := range []string{"statefulset/manual", "daemonset/agent"} {
		s.kubectl("set", "image", object, "app=db:v2")
		s.kubectl("wait", object, "--for=jsonpath={.status.observedGeneration}=2", "--timeout=2m")
	}
	const only = "error: rollout status is only available for RollingUpdate strategy type"
	s.plugin("status", "statefulset/manual").ends(1, only, "0 of 2 pods run its newest revision, the others are replaced when you delete them")
	s.plugin("status", "daemonset/agent").ends(1, only, `daemonset "agent" has strategy OnDelete: 0 of `)
	for _, verb := range []string{"restart", "undo"} {
		p := s.plugin(verb, "statefulset/db", "statefulset/manual", "--wait").ends(1, "statefulsets/manual has strategy OnDelete", "leave it out")
		if p.out.String() != "" {
			t.Errorf("something was written before that\n%s", p.output())
		}
	}
	if d := s.plugin("status", "statefulset/manual", "-o", "json").ends(1).documents()["manual"]; !strings.Contains(d.Message, "0 of 2 pods run its newest revision") {
		t.Errorf("got %+v", d)
	}
	if d := s.plugin("status", "deployment/web", "--revision", "9", "-o", "json").ends(1).documents()["web"]; d.Phase != "other-revision" {
		t.Errorf("got %+v", d)
	}
	s.kubectl("rollout", "pause", "deployment/web")
	s.plugin("status", "deployment/web").ends(0, `deployment "web" successfully rolled out`)
	s.kubectl("set", "image", "deployment/web", "app=web:v2")
	s.plugin("status", "deployment/web").ends(6, "Waiting for deployment \"web\" rollout to finish: 0 out of 2 new replicas have been updated...\n",
		"is paused and its pod template is not rolled out", "'kubectl rollout resume deployment/web -n "+s.name+"' lets it go on")
	s.plugin("status", "deployment/web", "--watch=false").ends(0, "0 out of 2")
	s.plugin("status", "deployment/web", "--watch=false", "--exit-code").ends(6, "is paused and its pod template is not rolled out")
	phases := map[string]string{}
	for name, document := range s.plugin("status", "deployments,statefulsets,daemonsets", "-o", "json").ends(1).documents() {
		phases[name] = document.Phase
	}
	if want := map[string]string{"web": "paused", "manual": "on-delete", "agent": "on-delete", "db": "partitioned"}; !maps.Equal(phases, want) {
		t.Errorf("got %v, want %v", phases, want)
	}
	s.kubectl("rollout", "resume", "deployment/web")
	s.plugin("status", "deployment/web").ends(0)
}

func TestStatusSaysWhichLimitFired(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("Deployment", "late", "web:v1", "progressDeadlineSeconds: 1"),
		manifestOf("StatefulSet", "db", "db:v1", ""))
	for _, object := range []string{"deployment/web", "deployment/late", "statefulset/db"} {
		s.kubectl("set", "image", object, "app=web:never-ready")
	}
	s.plugin("status", "deployment/late").ends(4, `error: deployment "late" exceeded its progress deadline: pod late-`,
		": ProgressDeadlineExceeded: no new pod became ready for 1 s (progressDeadlineSeconds)")
	// It has its first new pod by then, and makes no more of them: nothing is left that could count as progress.
	s.kubectl("wait", "deployment/late", "--for=jsonpath={.status.updatedReplicas}=1", "--timeout=2m")
	s.kubectl("wait", "deployment/late", "--for=condition=Progressing=false", "--timeout=2m")
	// One deadline for all, not one after the other.
	p := s.plugin("status", "deployment/web", "deployment/late", "statefulset/db", "--timeout", "5s", "-o", "json").ends(4,
		`timed out waiting for the condition: --timeout 5s passed, and deployment "web" is not rolled out yet`, `statefulset "db" is not rolled out yet`)
	documents := p.documents()
	if documents["web"].Phase != "timed-out" || documents["db"].Phase != "timed-out" || documents["db"].Revision != 2 || documents["late"].Phase != "failed" {
		t.Errorf("got %+v", documents)
	}
	s.plugin("status", "deployment/web", "--timeout", "1s").ends(124, "error: timed out waiting for the condition: --timeout 1s passed")
	s.plugin("status", "deployment/web", "statefulset/db", "--watch=false").ends(0, "Waiting for 1 pods to be ready...")
	s.plugin("status", "deployment/web", "statefulset/db", "--watch=false", "--exit-code").ends(7, `deployment "web" is not rolled out yet`)
	s.plugin("status", "deployment/late", "--watch=false").ends(4, "exceeded its progress deadline: no progress for 1 s")
	s.plugin("status", "deployment/late", "--watch=false", "--exit-code").ends(4, "exceeded its progress deadline: pod late-", "no new pod became ready for 1 s")
	s.kubectl("rollout", "undo", "deployment/web")
	s.plugin("status", "deployment/web").ends(0)
	s.plugin("status", "deployment/web", "--watch=false", "--exit-code").ends(0)
}

func TestStatusOfWhatIsDeletedMeanwhile(t *testing.T) {
	s := newSpace(t)
	objects := []string{"deployment/web", "statefulset/db", "daemonset/agent"}
	s.kubectl("apply", "-f", s.file(manifestOf("Deployment", "web", "web:never-ready", ""), manifestOf("StatefulSet", "db", "db:never-ready", ""),
		manifestOf("DaemonSet", "agent", "agent:never-ready", "")))
	for _, object := range objects {
		p := s.plugin("status", object)
		p.tells("Waiting for")
		s.kubectl("delete", object, "--wait=false")
		kind, name, _ := strings.Cut(object, "/")
		p.ends(1, fmt.Sprintf("error: object has been deleted: %s %q in namespace %q; 'kubectl get %ss -n %s' lists those there are\n", kind, name, s.name, kind, s.name))
	}
}

// Less rights than the plugin could use are no reason to refuse, as long as kubectl's own status needs no more.
func TestStatusWithFewRights(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("StatefulSet", "db", "db:v1", ""))
	s.allow(map[string][]string{"deployments": {"get", "list", "watch"}, "statefulsets": {"get"}, "pods": {"list"}})
	// What is finished is not watched.
	s.plugin("status", "deployment/web", "statefulset/db", "--as", "dev").ends(0, `deployment "web" successfully rolled out`, "partitioned roll out complete")
	s.kubectl("set", "image", "deployment/web", "app=web:never-ready")
	p := s.plugin("status", "deployment/web", "--as", "dev")
	p.tells("Waiting for deployment")
	p.tells("pods that fail are not seen: the right to list and watch replicasets is missing: ")
	s.kubectl("set", "image", "deployment/web", "app=web:v2")
	p.ends(0, `deployment "web" successfully rolled out`)
	if told := p.errOut.String(); strings.Count(told, "\n") != 1 {
		t.Errorf("not said once\n%s", told)
	}
	s.kubectl("set", "image", "statefulset/db", "app=db:never-ready")
	s.kubectl("wait", "statefulset/db", "--for=jsonpath={.status.readyReplicas}=1", "--timeout=2m")
	s.plugin("status", "statefulset/db", "--as", "dev", "--watch=false", "--exit-code").ends(7, "Waiting for 1 pods to be ready")
	s.plugin("status", "statefulset/db", "--as", "dev").ends(1, "the right to list and watch statefulsets is missing",
		`; without it statefulset "db" in namespace "`+s.name+`" cannot be followed`)
	s.plugin("status", "daemonset/agent", "--as", "dev").ends(1, "Error from server (Forbidden)")
}

func TestStatusOfAnOpenRolloutAsJSON(t *testing.T) {
	w := newWeb(t)
	w.detached()
	p := w.plugin("status", "deployment/web", "--watch=false", "-o", "json").ends(0)
	d := p.documents()["web"]
	if d.Phase != "standing" || d.Step == nil || d.Step.Step != 1 || d.Step.Steps != 3 || d.Step.Target != 1 || d.Revision != 2 || p.errOut.String() != "" {
		t.Errorf("got %+v", d)
	}
	w.plugin("status", "deployment/web", "--watch=false", "--exit-code").ends(4, "step 1 of 3", "it was left standing since")
	w.kubectl("rollout", "pause", "deployment/web")
	if d := w.plugin("status", "deployment/web", "-o", "json").ends(6).documents()["web"]; d.Phase != "paused" || d.Step == nil {
		t.Errorf("got %+v", d)
	}
	w.kubectl("rollout", "resume", "deployment/web")
	w.plugin("abort", "deployment/web").ends(0)
}

// All are followed at the same time: what happens to the first is still told after the second has begun to be.
func TestStatusFollowsAllAtTheSameTime(t *testing.T) {
	s := newSpace(t)
	s.kubectl("apply", "-f", s.file(manifestOf("Deployment", "a", "web:never-ready", ""), manifestOf("Deployment", "b", "web:never-ready", "")))
	p := s.plugin("status", "deployment/a", "deployment/b", "deployment/none")
	for round, name := range []string{"a", "b", "a", "b"} {
		s.kubectl("scale", "deployment/"+name, "--replicas", fmt.Sprint(3+round))
		p.tells(fmt.Sprintf("Waiting for deployment %q rollout to finish: 0 of %d updated replicas are available...\n", name, 3+round))
	}
	s.kubectl("delete", "deployment/a", "deployment/b", "--wait=false")
	p.ends(1, `deployments.apps "none" not found`)
}

func TestWaitingTellsWhatMayYetStandInTheWay(t *testing.T) {
	for kind, typed := range map[string]string{"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			s.rolledOut(manifestOf(typed, "web", "web:v1", ""))
			s.kubectl("set", "resources", kind+"/web", "--requests=cpu=100000")
			commands := [][]string{{"status", kind + "/web"}}
			if kind != "statefulset" { // which waits for the pod that it has before it makes another
				commands = append(commands, []string{"restart", kind + "/web", "--wait", "--force"})
			}
			for _, command := range commands {
				waiting := s.plugin(command...)
				waiting.tells("0/10 nodes are available: ")
				waiting.tells("fatal at ")
				waiting.tells("next: kubectl describe ")
				waiting.signal(syscall.SIGINT)
				waiting.ends(130)
				if out := waiting.out.String(); strings.Contains(out, "nodes are available") || strings.Count(waiting.errOut.String(), "warning: ") != 1 {
					t.Errorf("%v does not tell it once, on standard error\n%s", command, waiting.output())
				}
			}
		})
	}
}
