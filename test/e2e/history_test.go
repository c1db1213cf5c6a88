//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// kinds are those that have a history, by their short names.
var kinds = map[string]string{"deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet"}

// manifest is a workload named web. A DaemonSet has no replicas.
func manifest(kind, name, image string) string {
	spec := map[string]any{
		"selector": map[string]any{"matchLabels": map[string]any{"app": name}},
		"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"app": name}},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": image}}},
		},
	}
	switch kind {
	case "StatefulSet":
		spec["serviceName"] = name
		fallthrough
	case "Deployment":
		spec["replicas"] = 2
	}
	text, _ := json.Marshal(map[string]any{ // maps of strings always encode
		"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"name": name, "labels": map[string]any{"app": name}}, "spec": spec,
	})
	return string(text)
}

// write makes a file in a folder of the test's own.
func (s *space) write(dir, name, text string) string {
	s.Helper()
	file := filepath.Join(dir, name)
	must(s.TB, os.MkdirAll(filepath.Dir(file), 0o755))
	must(s.TB, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// workload creates a workload named web, rolls out each of the images, and waits for the last one to be complete.
func (s *space) workload(short string, images ...string) {
	s.Helper()
	s.kubectl("create", "-f", s.write(s.dir(), short+".json", manifest(kinds[short], "web", images[0])))
	s.kubectl("rollout", "status", short+"/web")
	for _, image := range images[1:] {
		s.kubectl("set", "image", short+"/web", "app="+image)
		s.kubectl("rollout", "status", short+"/web")
	}
}

// nextSecond waits until a write has another time stamp than what was before: one of the same second, or one that its controller
// comes to late, might be anybody's.
func (s *space) nextSecond() {
	s.Helper()
	next := time.Now().Truncate(time.Second).Add(time.Second)
	s.until(func() bool { return !time.Now().Before(next) }, func() string { return "the clock stands still" })
}

func (s *space) dir() string { return filepath.Dir(s.kubeconfig) }

// both runs a command of kubectl rollout and the plugin's until they are the same, or kubectl itself has nothing new to
// tell meanwhile. The cluster need not stand still for that.
func (s *space) both(same func(theirs, ours *process) bool, args ...string) (theirs, ours *process) {
	s.Helper()
	run := func(command string) *process {
		p := s.begin(append([]string{command}, args...)...)
		p.code()
		return p
	}
	theirs = run("rollout")
	for end := time.Now().Add(patience); ; {
		ours = run("rollout-plus")
		if same(theirs, ours) {
			return theirs, ours
		}
		again := run("rollout")
		if theirs.output() == again.output() || time.Now().After(end) {
			return theirs, ours
		}
		theirs = again
	}
}

// alike expects the same of both, but for the sort of failure and what its text adds to kubectl's.
func (s *space) alike(args ...string) {
	s.Helper()
	same := func(theirs, ours *process) bool {
		return ours.tellsAs(theirs) && (theirs.code() == 0) == (ours.code() == 0)
	}
	if theirs, ours := s.both(same, args...); !same(theirs, ours) {
		s.Errorf("%q: got code %d\n%s\nwant code %d\n%s", args, ours.code(), ours.output(), theirs.code(), theirs.output())
	}
}

// documents reads YAML or JSON documents.
func documents(t testing.TB, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096); ; {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all = append(all, document)
	}
}

// moreAlike expects the same documents of both, but for the fields that the plugin adds to each.
func (s *space) moreAlike(args ...string) {
	s.Helper()
	same := func(theirs, ours *process) bool {
		want, got := documents(s, theirs.out.String()), documents(s, ours.ends(0).out.String())
		for _, document := range got {
			for _, field := range []string{"schemaVersion", "revision", "createdAt", "ageSeconds", "images", "config", "pods", "changedBy", "changeCause", "state", "failed"} {
				if _, found := document[field]; !found {
					s.Errorf("%q: %s is missing", args, field)
				}
				delete(document, field)
			}
		}
		return len(got) > 0 && reflect.DeepEqual(got, want)
	}
	if theirs, ours := s.both(same, args...); !same(theirs, ours) {
		s.Errorf("%q: got\n%s\nwant\n%s", args, ours.out.String(), theirs.out.String())
	}
}

// TestHistoryAsKubectl compares with kubectl rollout history, side by side on the same objects.
func TestHistoryAsKubectl(t *testing.T) {
	t.Parallel()
	for short := range kinds {
		t.Run(short, func(t *testing.T) {
			s := newSpace(t)
			s.workload(short, "web:v1", "web:v2")
			s.kubectl("annotate", short+"/web", "kubernetes.io/change-cause=because it is better")
			s.kubectl("set", "env", short+"/web", "A=1")
			s.kubectl("rollout", "status", short+"/web")
			object := short + "/web"
			for _, args := range [][]string{
				{object},
				{short, "web"},
				{object, "--revision", "1"},
				{object, "--revision=3"},
				{object, "--revision", "9"},
				{object, "--revision", "-1"},
				{object, "--revision", "0"},
				{object, "-o", "name"},
				{object, "-o", "name", "--revision", "2"},
				{object, "-o", "jsonpath={.metadata.name} {.spec.template.spec.containers[0].image}{\"\\n\"}"},
				{object, "-o", "jsonpath={.spec.template}", "--revision", "1"},
				{object, "-o", "go-template={{.kind}} {{.metadata.name}} {{.spec.template}}\n"},
				{object, "-o", "go-template", "--template", "{{.metadata.name}}:"},
				{object, "--template", "{{.kind}} {{.metadata.name}}\n"},
				{object, "--template", "{{.metadata.name}}", "--revision", "2"},
				{object, "-o", "json", "--revision", "9"},
				{object, short + "/none"},
				{short + "/none"},
				{short},
				{short, "-l", "app=web"},
				{short, "-l", "app=none"},
				{},
			} {
				s.alike(append([]string{"history"}, args...)...)
			}
			for _, args := range [][]string{{"-o", "json"}, {"-o", "yaml"}, {"-o", "json", "--revision", "2"}, {"-o", "yaml", "--show-managed-fields"}} {
				s.moreAlike(append([]string{"history", object}, args...)...)
			}
		})
	}
}

// TestHistoryOfSeveral names objects in all the other ways.
func TestHistoryOfSeveral(t *testing.T) {
	s := newSpace(t)
	good, bad := filepath.Join(s.dir(), "good"), filepath.Join(s.dir(), "bad")
	for _, kind := range kinds {
		s.write(good, kind+".json", manifest(kind, "web", "web:v1"))
		s.write(good, "deeper/"+kind+".json", manifest(kind, "api", "web:v1"))
		s.write(bad, kind+".json", manifest(kind, "web", "web:v1"))
	}
	s.write(bad, "broken.json", `{"apiVersion": "apps/v1", "ind": "Deployment", "metadata": {"name": "web"}}`)
	s.write(good, "kustomization.yaml", "resources: [Deployment.json, DaemonSet.json]\n")
	s.kubectl("create", "-k", good)
	s.kubectl("create", "-f", filepath.Join(good, "StatefulSet.json"))
	s.kubectl("create", "-f", filepath.Join(good, "deeper"))
	for short := range kinds {
		s.kubectl("rollout", "status", short+"/web")
		s.kubectl("rollout", "status", short+"/api")
	}
	paused := strings.Replace(manifest("Deployment", "paused", "web:v1"), `"replicas":2`, `"replicas":2,"paused":true`, 1)
	s.kubectl("create", "-f", s.write(s.dir(), "paused.json", paused))
	s.kubectl("wait", "deployment/paused", "--for=jsonpath={.status.observedGeneration}=1")
	for _, args := range [][]string{
		{"deploy", "web", "api", "none"},
		{"deploy/web", "sts/api", "ds/web"},
		{"deploy,ds", "-l", "app=web"},
		{"deployments.apps", "-l", "app in (web, api)"},
		{"-f", filepath.Join(good, "deeper")},
		{"-f", good},
		{"-f", filepath.Join(good, "deeper"), "-o", "name"},
		{"-f", filepath.Join(good, "Deployment.json"), "-f", filepath.Join(good, "deeper"), "--revision", "1"},
		{"-k", good},
		{"-f", bad},
		{"-f", bad, "-R"},
		{"-f", filepath.Join(s.dir(), "none.json")},
		{"deploy/paused"},
		{"deploy/paused", "--revision", "1"},
		{"deploy/paused", "-o", "json"},
		{"pod", "-l", "app=web"},
		{"namespace/" + s.name},
		{"rs", "-l", "app=web"},
		{"nonsense/web"},
		{"deploy/web", "-n", "nowhere"},
	} {
		s.alike(append([]string{"history"}, args...)...)
	}
	for _, args := range [][]string{{"-f", filepath.Join(good, "deeper"), "-o", "yaml"}, {"deploy,sts", "-l", "app=web", "-o", "json"}} {
		s.moreAlike(append([]string{"history"}, args...)...)
	}
	s.plugin("history", "deploy/paused", "-o", "wide").ends(0, "deployment.apps/paused \nNo rollout history found.\n")
	s.plugin("history", "deploy/web", "ds/none", "sts/web", "-o", "wide").ends(1, "deployment.apps/web \nREVISION", "statefulset.apps/web \nREVISION", `"none" not found`)
	s.plugin("history", "deploy/web", "-o", "wide", "--revision", "7").ends(1, `error: unable to find the specified revision: deployment "web" in namespace "`)
}

// revision is a revision in the plugin's JSON.
type revision struct {
	SchemaVersion, Revision, AgeSeconds int
	CreatedAt                           time.Time
	Images                              []string
	Pods                                struct{ Ready, Total int }
	ChangedBy, ChangeCause, State       string
}

// revisions reads the history from the plugin's JSON, and brings it into short lines. Who made an earlier one may be known
// still or not, as time stamps happen to be; of these it is left out.
func (s *space) revisions(object string) []string {
	s.Helper()
	var lines []string
	for _, document := range documents(s, s.plugin("history", object, "-o", "json").ends(0).out.String()) {
		text, err := json.Marshal(document)
		must(s.TB, err)
		var r revision
		must(s.TB, json.Unmarshal(text, &r))
		if r.SchemaVersion != 1 || r.AgeSeconds < 0 || time.Since(r.CreatedAt) > time.Hour {
			s.Errorf("%s: %s", object, text)
		}
		line := fmt.Sprintf("%d %s %d/%d %v", r.Revision, r.State, r.Pods.Ready, r.Pods.Total, r.Images)
		if r.State == "current" || r.State == "new" {
			line += " " + r.ChangedBy
		}
		lines = append(lines, line)
	}
	return lines
}

// TestHistoryStates sees the states come and go: a rollout, one that gets stuck, and the way back from it.
func TestHistoryStates(t *testing.T) {
	t.Parallel()
	for short := range kinds {
		t.Run(short, func(t *testing.T) {
			s := newSpace(t)
			s.workload(short, "web:v1")
			s.nextSecond()
			s.kubectl("set", "image", short+"/web", "app=web:v2")
			s.kubectl("rollout", "status", short+"/web")
			desired, updated := "{.spec.replicas}", "{.status.updatedReplicas}"
			if short == "ds" {
				desired, updated = "{.status.desiredNumberScheduled}", "{.status.updatedNumberScheduled}"
			}
			// Not the pods that there are: old ones may still be ending.
			all, err := strconv.Atoi(s.kubectl("get", short+"/web", "-o", "jsonpath="+desired))
			must(t, err)
			expect := func(want ...string) {
				t.Helper()
				if got := s.revisions(short + "/web"); !reflect.DeepEqual(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			expect("1 old 0/0 [web:v1]", fmt.Sprintf("2 current %d/%d [web:v2] kubectl-set", all, all))

			s.nextSecond()
			s.kubectl("set", "image", short+"/web", "app=web:never-ready")
			stable := all - 1
			if short == "deploy" { // a surge of one, and none less
				stable = all
			}
			s.kubectl("wait", short+"/web", "--for=jsonpath="+updated+"=1", "--timeout=2m")
			expect("1 old 0/0 [web:v1]", fmt.Sprintf("2 stable %d/%d [web:v2]", stable, stable), "3 new 0/1 [web:never-ready] kubectl-set")
			row := regexp.MustCompile(`(?s)^[a-z]+\.apps/web \nREVISION +AGE +STATE +PODS +IMAGES +CONFIG +CHANGED-BY +CHANGE-CAUSE\n` +
				`1 .*\n2 .* stable .*\n3 +[1-9][0-9]*s +new +0/1 +web:never-ready +- +kubectl-set +<none>\n\n$`)
			// Time stamps have full seconds: two authors in one second cannot be told apart.
			var wide string
			s.until(func() bool {
				wide = s.plugin("history", short+"/web", "-o", "wide").ends(0).out.String()
				return row.MatchString(wide)
			}, func() string { return "not the table that was expected:\n" + wide })
			only := s.plugin("history", short+"/web", "-o", "wide", "--revision", "1").ends(0).out.String()
			if strings.Count(only, "\n") != 4 || !strings.Contains(only, "with revision #1\nREVISION") || !strings.Contains(only, "web:v1") {
				t.Errorf("not one revision:\n%s", only)
			}

			s.kubectl("rollout", "undo", short+"/web")
			if short == "sts" {
				// The controller does not replace a pod that never became ready by itself (kubernetes issue 67250).
				s.kubectl("delete", "pod", "-l", "app=web")
			}
			s.kubectl("rollout", "status", short+"/web", "--timeout=2m")
			var back []string
			s.until(func() bool {
				back = s.revisions(short + "/web")
				return len(back) == 3 && strings.HasPrefix(back[2], fmt.Sprintf("4 current %d/%d [web:v2] kubectl", all, all))
			}, func() string { return fmt.Sprintf("after undo: %q", back) })
			// The present revision is as old as the undo that made it one, of which a Deployment tells but the beginning.
			age := map[string]string{"deploy": "<"}[short] + `\d+[sm]\w*`
			if wide = s.plugin("history", short+"/web", "-o", "wide").ends(0).out.String(); !regexp.MustCompile(`\n4 +` + age + ` +current `).MatchString(wide) {
				t.Errorf("after undo:\n%s", wide)
			}
			if short != "deploy" {
				documents := documents(t, s.plugin("history", short+"/web", "-o", "json").ends(0).out.String())
				if earlier, present := documents[1]["createdAt"], documents[2]["createdAt"]; earlier.(string) > present.(string) {
					t.Errorf("revision 3 was made at %v, revision 4 at %v", earlier, present)
				}
			}
		})
	}
}
