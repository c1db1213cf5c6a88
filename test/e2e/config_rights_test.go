//go:build e2e

package e2e

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// permit gives the user dev all rights that changes of configuration take on these resources.
func (s *space) permit(role string, resources ...string) {
	s.Helper()
	s.kubectl("create", "role", role, "--verb=get,list,watch,create,patch,delete", "--resource="+strings.Join(resources, ","))
	s.kubectl("create", "rolebinding", role, "--role="+role, "--user=dev")
	for _, named := range resources {
		kind, group, _ := strings.Cut(named, ".")
		rule := rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{kind}, Verbs: []string{"list"}}
		s.until(func() bool { return s.may("dev", rule) }, func() string { return "dev has no right to " + named })
	}
}

// Who could not find out which versions are needed is told so before anything is written, and not at the end.
func TestConfigNamesTheListsThatAreMissing(t *testing.T) {
	w := newConfigured(t, delay("0s"))
	w.kubectl("create", "configmap", "extras", "--from-literal=size=big")
	w.permit("most", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps", "jobs.batch",
		"replicationcontrollers", "pods", "pods/log", "configmaps")
	const attached = "deployment/attached"
	w.plugin("create", "deployment", "attached", "--image", "web:v1", "--env-from-config", "extras", "--wait").ends(0)
	commands := [][]string{
		{"config", "attach", "deployment/web", "--env-from-config", "extras", "--steps", "100%"},
		{"config", "detach", attached, "extras", "--steps", "100%"},
		{"create", "deployment", "fresh", "--image", "web:v1", "--env-from-config", "settings"},
		{"config", "set", "settings", "color=red", "--yes", "--steps", "100%"},
	}
	generations := func() string {
		return w.kubectl("get", "deployments", "-o", "jsonpath={range .items[*]}{.metadata.name}:{.metadata.generation} {end}") +
			w.kubectl("get", "configmaps", "-o", "jsonpath={.items[*].metadata.name}")
	}
	before := generations()
	for i, args := range commands {
		texts := []string{"the right to list cronjobs, list controllerrevisions in namespace \"" + w.name + "\" is missing", "nothing was written"}
		if i == len(commands)-1 { // which lists all workloads at first
			texts = []string{"the right to list cronjobs in namespace"}
		}
		p := w.plugin(append(args, "--as", "dev")...).ends(1, texts...)
		if p.out.String() != "" {
			t.Errorf("something was done\n%s", p.output())
		}
	}
	w.permit("jobs", "cronjobs.batch")
	for _, args := range commands {
		w.plugin(append(args, "--as", "dev")...).ends(1, "the right to list controllerrevisions in namespace", "nothing was written")
	}
	w.plugin("config", "watch", "settings", "--as", "dev").ends(1, "the right to list controllerrevisions in namespace", "so that no edit could be rolled out")
	if after := generations(); after != before {
		t.Errorf("there is %s, not %s", after, before)
	}
	w.expectColor(t, "blue")
	w.permit("all", "controllerrevisions.apps")
	for _, args := range commands {
		if p := w.plugin(append(args, "--as", "dev")...).ends(0); strings.Contains(p.output(), "warning: ") {
			t.Errorf("something is missing all the same\n%s", p.output())
		}
	}
}
