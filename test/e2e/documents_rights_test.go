//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// use is a command that a Role of docs/rights.md is enough for, and the exit code that it ends with.
type use struct {
	command string
	code    int
}

// usesOf are the commands that each Role is tried with, in that order.
func usesOf() map[string][]use {
	return map[string][]use{
		"looking": {
			{"status deployment/web", 0},
			{"status deployment/web statefulset/web daemonset/web", 0},
			{"explain deployment/web", 0},
			{"explain statefulset/web", 0},
			{"explain daemonset/web", 0},
			{"history deployment/web statefulset/web daemonset/web", 0},
			{"history deployment/web -o wide", 0},
			{"history statefulset/web -o wide", 0},
			{"history daemonset/web -o wide", 0},
			{"diff deployment/web", 1},
			{"diff statefulset/web", 1},
			{"diff daemonset/web", 1},
		},
		"rolling-out": {
			{"start deployment/web --image web:v3", 0},
			{"start deployment/web --image web:crash", 5},
			{"start deployment/web --image web:v4 --steps 1 --hold 1h --timeout 2s", 124},
			{"explain deployment/web", 4},
			{"resume deployment/web --timeout 1s", 124},
			{"abort deployment/web", 0},
			{"undo deployment/web --wait", 0},
			{"restart deployment/web --steps 100%", 0},
			{"status deployment/web", 0},
			{"history deployment/web -o wide", 0},
			{"diff deployment/web --revision 1", 1},
		},
		"rolling-out-statefulsets": inSteps("statefulset/web"),
		"rolling-out-daemonsets":   inSteps("daemonset/web"),
		"finding-users":            {{"config affected settings", 0}},
		"changing-configuration": {
			{"config affected settings", 0},
			{"config attach deployment/web --env-from-config settings --steps 100%", 0},
			{"config attach statefulset/web --env-from-config settings --steps 100%", 0},
			{"config attach daemonset/web --env-from-config settings --steps 100%", 0},
			{"config set settings color=red --yes --steps 100%", 0},
			{"config history settings", 0},
			{"restart --config settings", 0},
			{"undo deployment/web --wait --shared-config", 0},
			{"config detach deployment/web settings --steps 100%", 0},
		},
		"as-kubectl": {
			{"restart statefulset/web", 0},
			{"restart daemonset/web", 0},
			{"pause deployment/web", 0},
			{"resume deployment/web", 0},
			{"undo deployment/web", 0},
		},
		"checking": {
			{"check deployment/web", 0},
			{"start deployment/web --image web:v3 --steps 100%", 0},
		},
		"creating": {
			{"create configmap other --from-literal=a=b", 0},
			{"create deployment other --image web:v1 --port 8080 --service --wait", 0},
		},
	}
}

// inSteps returns the commands that roll out a StatefulSet or DaemonSet.
func inSteps(workload string) []use {
	return []use{
		{"start " + workload + " --image web:v3", 0},
		{"start " + workload + " --image web:crash", 5},
		{"start " + workload + " --image web:v4 --steps 1 --hold 1h --timeout 2s", 124},
		{"explain " + workload, 4},
		{"resume " + workload + " --timeout 1s", 124},
		{"abort " + workload, 0},
		{"undo " + workload + " --wait", 0},
		{"restart " + workload + " --steps 100%", 0},
		{"status " + workload, 0},
		{"history " + workload + " -o wide", 0},
		{"diff " + workload + " --revision 1", 1},
	}
}

// TestRolesOfTheDocuments tries every Role of docs/rights.md with what the page says it is for.
func TestRolesOfTheDocuments(t *testing.T) {
	t.Parallel()
	uses, rollOut := usesOf(), ""
	for _, block := range fence.FindAllStringSubmatch(readDocument(t, "rights.md"), -1) {
		if block[1] != "yaml" {
			continue
		}
		var role rbacv1.Role
		must(t, yaml.UnmarshalStrict([]byte(block[2]), &role))
		commands, found := uses[role.Name]
		if !found {
			t.Errorf("no command tries Role %s", role.Name)
		}
		delete(uses, role.Name)
		manifests := []string{block[2]}
		switch role.Name {
		case "rolling-out":
			rollOut = block[2]
		case "checking": // which comes in addition to the one for rolling out
			manifests = append(manifests, rollOut)
		}
		t.Run(role.Name, func(t *testing.T) { tryRole(t, manifests, commands) })
	}
	if len(uses) > 0 {
		t.Errorf("the page has no Role for %v", slices.Collect(maps.Keys(uses)))
	}
}

// tryRole runs commands as somebody who has these Roles. A check that cannot be made is no fault, unless the first is for checks.
func tryRole(t *testing.T, manifests []string, commands []use) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	for _, kind := range []string{"deploy", "sts", "ds"} {
		s.workload(kind, "web:v1", "web:v2")
	}
	checks := strings.Contains(manifests[0], "name: checking")
	for _, manifest := range manifests {
		s.bind(manifest)
	}
	for _, u := range commands {
		p := s.plugin(append(strings.Fields(u.command), "--as", "dev")...).ends(u.code)
		for line := range strings.Lines(p.output()) {
			misses := strings.Contains(line, "is missing") || strings.Contains(line, "forbidden")
			if misses && (!strings.Contains(line, "SKIP ") || checks && !strings.Contains(line, "SKIP NodeRoom")) {
				t.Errorf("%s misses a right\n%s", u.command, p.output())
				break
			}
		}
	}
}

// bind gives the user dev a Role, and waits until the API server knows of it.
func (s *space) bind(manifest string) {
	s.Helper()
	var role rbacv1.Role
	must(s.TB, yaml.UnmarshalStrict([]byte(manifest), &role))
	s.kubectl("create", "-f", s.write(s.dir(), role.Name+".yaml", manifest))
	s.kubectl("create", "rolebinding", role.Name, "--role="+role.Name, "--user=dev")
	for _, rule := range role.Rules {
		s.until(func() bool { return s.may("dev", rule) }, func() string { return "dev has no right to " + strings.Join(rule.Resources, ", ") })
	}
}
