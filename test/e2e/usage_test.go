//go:build e2e

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// badValues are command lines with one bad flag or argument each, what they have to say about it, and that the exit
// code is 2.
func badValues(file func(string) string) map[string]string {
	another := file("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
	two := file("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")
	other := file("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\n")
	elsewhere := file("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: elsewhere}\n")
	broken := file("apiVersion: [\n")
	start := "start deployment/web --image web:v2 "
	return map[string]string{
		start + "--steps 0":                             `step "0" is below 1`,
		start + "--steps 0%":                            `step "0%" is not between 1% and 100%`,
		start + "--steps 101%":                          `step "101%" is not between 1% and 100%`,
		start + "--steps -1":                            `"-1" is neither a count such as 3 nor a percentage such as 25%`,
		start + "--steps 1.5":                           `"1.5" is neither`,
		start + "--steps 1,,2":                          `"" is neither`,
		start + "--steps ,":                             `"" is neither`,
		start + "--steps two":                           `"two" is neither`,
		start + "--steps 2,1":                           `step "1" does not rise above the step before it`,
		start + "--steps 2,2":                           `step "2" does not rise`,
		start + "--steps 50%,50%":                       `step "50%" does not rise`,
		start + "--steps 100%,3":                        `step "3" does not rise`,
		start + "--steps 2,10%":                         `step "10%" is 1 of 3 replicas, which does not rise above the 2 of the step before it`,
		start + "--steps 99999999999":                   `"99999999999" is neither`,
		start + "--max-surge x":                         `--max-surge "x"`,
		start + "--max-surge -1":                        `--max-surge "-1"`,
		start + "--max-surge 10.5%":                     `--max-surge "10.5%"`,
		start + "--max-unavailable x":                   `--max-unavailable "x"`,
		start + "--max-unavailable 101%":                `more than 100% of the pods cannot be missing`,
		start + "--max-surge 0 --max-unavailable 0":     `both are zero`,
		start + "--max-surge 0% --max-unavailable 0":    `both are zero`,
		start + "--hold -1s":                            `--hold "-1s": it must not be negative`,
		start + "--hold 5":                              `invalid argument "5" for "--hold"`,
		start + "--on-failure pause":                    `--on-failure "pause": expected rollback or hold`,
		start + "--timeout -1s":                         `--timeout "-1s": it must not be negative`,
		start + "--timeout soon":                        `invalid argument "soon" for "--timeout"`,
		start + "-o yaml":                               `--output "yaml": expected json`,
		start + "--color blue":                          `--color "blue": expected auto, always or never`,
		start + "--dry-run=maybe":                       `Invalid dry-run value (maybe). Must be "none", "server", or "client".`,
		start + "--field-manager=":                      `--field-manager "": expected a name of 1 to 128 characters`,
		start + "--to-revision 1":                       `exclude each other`,
		start + "--to-revision one":                     `invalid argument "one" for "--to-revision"`,
		start + "--force-conflicts":                     `--force-conflicts goes with -f`,
		start + "-f " + other:                           `exclude each other`,
		start + "--no-such-flag":                        `unknown flag: --no-such-flag`,
		start + "deployment/other":                      "one object at a time, not deployment/web deployment/other",
		start + "a b":                                   `one object at a time, not deployment/web a b`,
		"start deployment/web --image nope=web:v2":      `there is no container "nope" in the pod template; it has app`,
		"start deployment/web --image =web:v2":          `the container's name before the = is missing`,
		"start deployment/web --image app=":             `is not the name of an image`,
		"start deployment/web --image=":                 `is not the name of an image`,
		"start deployment/web --env A":                  `expected KEY=VALUE, or KEY- to remove the variable`,
		"start deployment/web --env =1":                 `"" is not the name of a variable`,
		"start deployment/web --env nope:A=1":           `there is no container "nope"`,
		"start deployment/web --env :A=1":               `the container's name before the : is missing`,
		"start deployment/web --to-revision -1":         `unable to find specified revision -1 in history`,
		"start -f no-such-file":                         `no-such-file`,
		"start -f " + another:                           `expected the manifest of one Deployment, StatefulSet or DaemonSet (apps/v1) with a name, found kind "ConfigMap"`,
		"start -f " + two:                               `there is more than one object in it`,
		"start -f " + broken:                            `yaml`,
		"start -f " + file(""):                          `expected the manifest of one Deployment`,
		"start deployment/web -f " + other:              `the manifest is of deployment "other", not of deployment "web"`,
		"start -n default -f " + elsewhere:              `does not match the namespace "default"`,
		"start":                                         `required resource not specified`,
		"start web --image web:v2":                      `name the object as TYPE/NAME, not "web"`,
		"start replicaset/web --image web:v2":           `only Deployments, StatefulSets and DaemonSets have revisions, not "replicaset"`,
		"start deployment/ --image web:v2":              `"" is not the name of a Deployment`,
		"resume":                                        `required resource not specified`,
		"resume deployment/web --timeout -1s":           `--timeout "-1s"`,
		"resume deployment/web --steps 1":               `unknown flag: --steps`,
		"abort":                                         `required resource not specified`,
		"abort cronjob web":                             `only Deployments, StatefulSets and DaemonSets have revisions, not "cronjob"`,
		"abort deployment/web --timeout 1":              `invalid argument "1" for "--timeout"`,
		"status":                                        `required resource not specified`,
		"status deployment/web --timeout -1s":           `--timeout "-1s"`,
		"status deployment/web --revision -1":           `revision must be a positive integer: -1`,
		"status deployment/web --watch=perhaps":         `invalid argument "perhaps" for "-w, --watch"`,
		"undo":                                          `required resource not specified`,
		"undo deployment/web --to-revision -1":          `unable to find specified revision -1 in history`,
		"undo deployment/web --hold 1s":                 `--hold goes with --steps`,
		"undo deployment/web --max-surge 1":             `--max-surge goes with --steps`,
		"undo deployment/web --steps 0":                 `step "0" is below 1`,
		"undo deployment/web --steps 1 --on-failure x":  `--on-failure "x"`,
		"undo deployment/web --timeout -1s":             `--timeout "-1s"`,
		"undo deployment/web --steps 1 --timeout -1s":   `--timeout "-1s"`,
		"undo deployment/web --dry-run=maybe":           `Invalid dry-run value (maybe)`,
		"undo deployment/web -o nonsense":               `nonsense`,
		"undo deployment/web --steps 1 -o yaml":         `--output "yaml"`,
		"create nonsense":                               `unknown command "nonsense"`,
		"create deployment":                             `exactly one NAME is required, got 0`,
		"create deployment a b --image x":               `exactly one NAME is required, got 2`,
		"create deployment x":                           `--image is required`,
		"create deployment Bad_Name --image x":          `"Bad_Name" is not the name of a Deployment`,
		"create deployment x --image a=b":               `it is not the name of an image`,
		"create deployment x --image x --replicas -1":   `--replicas "-1": it must not be negative`,
		"create deployment x --image x --port 0":        `a port is a number from 1 to 65535`,
		"create deployment x --image x --port 65536":    `a port is a number from 1 to 65535`,
		"create deployment x --image x --env A":         `expected KEY=VALUE`,
		"create deployment x --image x --env A-":        `expected KEY=VALUE`,
		"create deployment x --image x --env 1=2":       `expected KEY=VALUE`,
		"create deployment x --image x --ready http":    `"" is not a port`,
		"create deployment x --image x --ready udp:5":   `expected http:PORT/PATH or tcp:PORT`,
		"create deployment x --image x --ready tcp:5/x": `expected http:PORT/PATH or tcp:PORT`,
		"create deployment x --image x --ready http:0/": `a port is a number from 1 to 65535`,
		"create deployment x --image x --service":       `--service needs a port: give --service=PORT or --port`,
		"create deployment x --image x --service=http":  `"http" is not a port`,
		"create deployment x --image x --max-surge y":   `--max-surge "y"`,
		"create deployment x --image x --max-surge 0":   `with one replica none may be missing`,
		"create deployment x --image x --timeout -1s":   `--timeout "-1s"`,
		"create deployment x --image x --dry-run=maybe": `Invalid dry-run value (maybe)`,
		"create deployment x --image x -o nonsense":     `nonsense`,
		"create deployment x --image x --replicas=many": `invalid argument "many" for "--replicas"`,
		"create configmap":                              `exactly one NAME is required, got 0`,
		"create configmap x --dry-run=maybe":            `Invalid dry-run value (maybe)`,
		"version extra":                                 `unknown command "extra"`,
		"version -o yaml":                               `--output "yaml"`,
		"nonsense":                                      `unknown command "nonsense"; 'kubectl rollout-plus --help' lists the commands`,
		"--no-such-flag":                                `unknown flag: --no-such-flag`,
	}
}

// One Deployment bears them all, and must not notice.
func TestBadValuesAreRefusedAndNothingIsWritten(t *testing.T) {
	w := newWeb(t)
	dir := t.TempDir()
	file := func(text string) string {
		f, err := os.CreateTemp(dir, "*.yaml")
		must(t, err)
		defer func() { must(t, f.Close()) }()
		_, err = f.WriteString(text)
		must(t, err)
		return filepath.Clean(f.Name())
	}
	for line, tells := range badValues(file) {
		p := w.plugin(strings.Fields(line)...)
		if code := p.code(); code != 2 {
			t.Errorf("%s: exit code %d, not 2\n%s", line, code, p.output())
		} else if told := p.errOut.String(); !strings.Contains(told, tells) || !strings.HasPrefix(told, "error: ") || strings.Count(told, "error:") > 1 {
			t.Errorf("%s: does not tell %q as an error\n%s", line, tells, p.output())
		}
	}
	if after := w.get(); after.ResourceVersion != w.own.ResourceVersion {
		t.Errorf("something was written to the Deployment: resourceVersion %s, then %s", w.own.ResourceVersion, after.ResourceVersion)
	}
	deployments, err := w.client.AppsV1().Deployments(w.name).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	services, err := w.client.CoreV1().Services(w.name).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	if len(deployments.Items) != 1 || len(services.Items) != 0 {
		t.Errorf("something was created: %d Deployments, %d Services", len(deployments.Items), len(services.Items))
	}
}

// What a Deployment is not fit for is said with what to do about it, and nothing is written.
func TestADeploymentThatCannotBeStepped(t *testing.T) {
	w := newWeb(t)
	refused := func(prepare []string, tells ...string) {
		t.Helper()
		if prepare != nil {
			w.kubectl(prepare...)
		}
		w.await("the controller has seen it", func(m *snapshot) bool { return m.deployment.Status.ObservedGeneration >= m.deployment.Generation })
		before := w.get()
		w.start("web:v9").ends(1, tells...)
		w.start("web:v9", "--dry-run=server").ends(1, tells...)
		// The controller may write the status and the revision at any time.
		after := w.get()
		delete(before.Annotations, "deployment.kubernetes.io/revision")
		delete(after.Annotations, "deployment.kubernetes.io/revision")
		if after.Generation != before.Generation || !maps.Equal(after.Annotations, before.Annotations) {
			t.Errorf("something was written: %v, then %v", before, after)
		}
	}
	refused([]string{"rollout", "pause", "deployment/web"}, `deployment "web" is paused; resume it first with 'kubectl rollout-plus resume deployment/web -n `+w.name+"'")
	w.kubectl("rollout", "resume", "deployment/web")
	refused([]string{"set", "image", "deployment/web", "app=web:never-ready"}, `a rollout of deployment "web" is already under way`,
		"'kubectl rollout-plus status deployment/web -n "+w.name+"'", "'kubectl rollout-plus undo deployment/web -n "+w.name+"'")
	w.kubectl("rollout", "undo", "deployment/web")
	w.await("complete", func(m *snapshot) bool { return m.image() == "web:v1" && m.complete() })
	w.detached()
	refused(nil, `a stepwise rollout of deployment "web" is already under way (step 1 of 3)`, "rollout-plus resume", "rollout-plus abort")
	w.plugin("abort", "deployment/web").ends(0)
	w.runs("web:v1")
	refused([]string{"patch", "deployment/web", "-p", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`},
		"strategy Recreate", "set spec.strategy.type to RollingUpdate")
	w.plugin("start", "deployment/nowhere", "--image", "x").ends(1, `there is no deployment "nowhere" in namespace "`+w.name+`"`, "kubectl get deployments")
	w.plugin("abort", "deployment/nowhere").ends(1, `there is no deployment "nowhere"`)
	w.plugin("abort", "deployment/web").ends(1, "no stepwise rollout is open", "'kubectl rollout-plus start --help'")
	w.plugin("resume", "deployment/nowhere").ends(1, `Error from server (NotFound): deployments.apps "nowhere" not found`)
	w.plugin("resume", "deployment/web").ends(1, `error: deployments.apps "web" is not paused`)
	w.plugin("undo", "deployment/nowhere").ends(1, `"nowhere"`)
}
