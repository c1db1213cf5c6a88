//go:build e2e

package e2e

import (
	"maps"
	"strings"
	"syscall"
	"testing"
)

// A script that names objects gets a document of each, whether it can be read or not.
func TestStatusAsJSONOfWhatCannotBeRead(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("StatefulSet", "db", "db:v1", ""))
	s.allow(map[string][]string{"deployments": {"get"}})
	missing := s.file(manifestOf("DaemonSet", "agent", "agent:v1", ""), manifestOf("Deployment", "web", "web:v1", ""))
	for _, c := range []struct {
		args   []string
		phases map[string]string
		tells  []string
	}{
		{
			[]string{"deployment/none", "deployment/web", "statefulset/db", "--as", "dev"},
			map[string]string{"none": "not-found", "web": "complete", "db": "unknown"},
			[]string{`Error from server (NotFound): deployments.apps "none" not found`, `Error from server (Forbidden): statefulsets.apps "db" is forbidden`},
		},
		{
			[]string{"deployment", "none", "web"},
			map[string]string{"none": "not-found", "web": "complete"},
			[]string{`Error from server (NotFound): deployments.apps "none" not found`},
		},
		{
			[]string{"deployment/none", "--watch=false"},
			map[string]string{"none": "not-found"},
			[]string{`Error from server (NotFound): deployments.apps "none" not found`},
		},
		{
			[]string{"-f", missing},
			map[string]string{"agent": "not-found", "web": "complete"},
			[]string{`daemonsets.apps "agent" not found`},
		},
		{
			[]string{"-f", missing, "-l", "shop=no"},
			map[string]string{"agent": "not-found"},
			[]string{`daemonsets.apps "agent" not found`},
		},
		{
			[]string{"configmap/kube-root-ca.crt"},
			map[string]string{"kube-root-ca.crt": "unknown"},
			[]string{"error: no status viewer has been implemented for ConfigMap"},
		},
	} {
		p := s.plugin(append([]string{"status", "-o", "json"}, c.args...)...).ends(1, c.tells...)
		phases := map[string]string{}
		for name, d := range p.documents() {
			phases[name] = d.Phase
			if d.Kind == "" || d.APIVersion == "" || d.Namespace != s.name || d.Message == "" {
				t.Errorf("%v: got %+v", c.args, d)
			}
		}
		if !maps.Equal(phases, c.phases) {
			t.Errorf("%v: got %v, want %v", c.args, phases, c.phases)
		}
		// Without -o json it is the same that is told as an error.
		if bare := s.plugin(append([]string{"status"}, c.args...)...).ends(1); !sameLines(bare.errOut.String(), p.errOut.String()) {
			t.Errorf("%v: on stderr\n%s\nwithout -o json\n%s", c.args, &p.errOut, &bare.errOut)
		}
	}
	s.plugin("status", "-o", "json", "-f", missing, "-l", "shop in").ends(1, "unable to parse requirement")
	s.plugin("status", "deployments", "-l", "shop=no", "-o", "json").ends(0, "stdout: \n", "No resources found in "+s.name+" namespace.")
}

// sameLines tells whether two texts have the same lines, but for where an error begins.
func sameLines(a, b string) bool {
	return strings.TrimPrefix(a, "error: ") == strings.TrimPrefix(b, "error: ")
}

// One that goes meanwhile has a document too.
func TestStatusAsJSONOfWhatIsDeletedMeanwhile(t *testing.T) {
	s := newSpace(t)
	s.kubectl("apply", "-f", s.file(manifestOf("DaemonSet", "agent", "agent:never-ready", ""), manifestOf("Deployment", "web", "web:v1", "")))
	s.kubectl("rollout", "status", "deployment/web")
	p := s.plugin("status", "deployment/web", "daemonset/agent", "-o", "json")
	p.tells(`"name":"web"`)
	s.kubectl("delete", "daemonset/agent", "--wait=false")
	if d := p.ends(1, "object has been deleted").documents()["agent"]; d.Phase != "deleted" ||
		!strings.HasPrefix(d.Message, `object has been deleted: daemonset "agent" in namespace "`+s.name+`"`) {
		t.Errorf("got %+v", d)
	}
}

// Whoever interrupts a wait reads what it was for, and how to wait on.
func TestAnInterruptedWaitNamesItsObjects(t *testing.T) {
	s := newSpace(t)
	parallel := "podManagementPolicy: Parallel"
	all := func(image string) string {
		return s.file(manifestOf("Deployment", "web", image, ""), manifestOf("StatefulSet", "db", image, parallel))
	}
	objects := []string{"deployment/web", "statefulset/db"}
	sentence := ` while waiting for deployment "web", statefulset "db"; 'kubectl rollout-plus status deployment/web statefulset/db -n ` +
		s.name + "' waits on\n"
	s.kubectl("apply", "-f", all("web:never-ready"))
	p := s.plugin(append([]string{"status"}, objects...)...)
	p.tells("Waiting for deployment")
	p.tells("Waiting for 2 pods")
	p.signal(syscall.SIGTERM)
	p.ends(143, "stderr: error: terminated"+sentence)
	p = s.plugin(append([]string{"status", "-o", "json", "--timeout", "1s"}, objects...)...).ends(124, `deployment "web" is not rolled out yet`, `statefulset "db" is not rolled out yet`)
	for name, d := range p.documents() {
		if d.Phase != "timed-out" || !strings.Contains(d.Message, name) {
			t.Errorf("got %+v", d)
		}
	}
	p = s.plugin(append([]string{"restart", "--wait", "--force"}, objects...)...)
	p.tells("statefulset.apps/db restarted")
	p.signal(syscall.SIGINT)
	p.ends(130, "error: interrupted"+sentence)
	s.plugin(append([]string{"restart", "--wait", "--force", "--timeout", "5s"}, objects...)...).
		ends(124, `deployment "web"`, `statefulset "db" is not rolled out yet`, "--timeout")
	s.kubectl("apply", "-f", all("web:v1"))
	for _, object := range objects {
		s.kubectl("rollout", "status", object)
	}
	p = s.plugin(append([]string{"undo", "--wait"}, objects...)...)
	p.tells("statefulset.apps/db rolled back")
	p.signal(syscall.SIGINT)
	p.ends(130, "error: interrupted"+sentence)
}
