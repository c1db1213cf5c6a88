//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestPauseAndResumeSideBySide(t *testing.T) {
	t.Parallel()
	for _, s := range []story{
		{"twice", []string{"deployment"}, []string{
			"make x", "complete x",
			"~rollout resume {}",
			"rollout pause {}",
			"~rollout pause {}",
			"~rollout restart {}",
			"set image {} app=app:v2",
			"rollout resume {} --field-manager=", "complete x",
			"~rollout resume {type} x",
			"rollout pause -f x.json",
			"rollout resume -f - < x.json",
			"rollout pause {type} -l app=x",
			"rollout resume -k kustomize",
		}},
		{"output", []string{"deployment"}, []string{
			"make x", "complete x",
			"rollout pause {} -o name",
			"rollout resume {} -o name",
			"rollout pause {} '-o=jsonpath={.metadata.name} {.spec.paused}'",
			"rollout resume {} '--template={{.metadata.name}} {{.spec.paused}}'",
			"rollout pause {} -o yaml",
			"rollout resume {} -o json",
			"rollout restart {} -o name", "complete x",
			"rollout pause {} --field-manager=somebody",
			"get {} --show-managed-fields '-o=jsonpath={.metadata.managedFields[?(@.manager==\"somebody\")].operation}'",
		}},
		{"not supported", []string{"statefulset", "daemonset"}, []string{
			"make x", "complete x",
			"~rollout pause {}",
			"~rollout resume {}",
		}},
		{"wrong kind", []string{"deployment"}, []string{
			"make x", "complete x", "create -f rc.json",
			"~rollout pause rc/rc",
			"~rollout resume rc/rc",
			"~rollout restart rc/rc",
			"~rollout pause rc/rc deployment/x",
			"~rollout pause deployment/none deployment/x",
			"~rollout resume deployment/none deployment/x",
		}},
		{"nothing", []string{"deployment"}, []string{
			"rollout pause {type} -l app=none",
			"rollout resume {type} -l app=none",
			"rollout restart {type} -l app=none",
			"~rollout pause {}",
			"~rollout pause",
			"~rollout resume",
			"~rollout restart",
		}},
	} {
		s.tell(t)
	}
}

func TestRestartSideBySide(t *testing.T) {
	t.Parallel()
	for _, s := range []story{
		{"restart", workloads(), []string{
			"make x", "complete x",
			"rollout restart {}", "complete x",
			"rollout restart {type}", "complete x",
			"rollout restart -f x.json", "complete x",
			"rollout restart {type} x --field-manager=somebody", "complete x",
			"get {} --show-managed-fields '-o=jsonpath={.metadata.managedFields[?(@.manager==\"somebody\")].operation}'",
			"rollout restart {} --field-manager=", "complete x",
			"~rollout restart {} --context=none",
			"rollout restart {} x",
			"rollout history {}",
		}},
		// The flags that all commands have: a warning of the API server's fails the command, after its work.
		{"warnings", workloads(), []string{
			`make x {"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:v1","env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}]}}}}`,
			"complete x",
			"rollout restart {} --warnings-as-errors", "complete x",
			"rollout restart {} -v=0", "complete x",
			"rollout history {} --warnings-as-errors --username=me --password=secret",
		}},
	} {
		s.tell(t)
	}
}

// kubectl's second restart within a second fails, since it would write the same time. The plugin's does not.
func TestRestartsWithinASecond(t *testing.T) {
	t.Parallel()
	for _, kind := range workloads() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			native, s := newSide(t, kind, "rollout"), newSide(t, kind, "rollout-plus")
			for _, side := range []*side{native, s} {
				side.create(kind, "x", "")
				side.await(kind, "x", "")
			}
			const fails = "failed to create patch for x: if restart has already been triggered within the past second, " +
				"please wait before attempting to trigger another"
			// However busy the machine is, of several at once some fall into the same second.
			native.until(func() bool {
				var restarts []*process
				for range 6 {
					restarts = append(restarts, native.begin("rollout", "restart", kind+"/x"))
				}
				failed := false
				for _, restart := range restarts {
					failed = restart.code() == 1 && restart.errOut.String() == "error: "+fails+"\n" || failed
				}
				return failed
			}, func() string { return "kubectl restarts within a second" })
			for range 3 {
				// Restarts do not pile on a rollout that is under way, unless they are told to.
				if told := s.run("rollout-plus", "restart", kind+"/x", "--force"); told.code != 0 || told.out != kind+".apps/x restarted\n" {
					t.Fatal(told)
				}
			}
			if generation := s.must("get", kind+"/x", "-o", "jsonpath={.metadata.generation}"); generation != "4" {
				t.Errorf("three restarts have led to generation %s, not 4", generation)
			}
		})
	}
}

func TestHistorySideBySide(t *testing.T) {
	t.Parallel()
	for _, s := range []story{
		{"history", workloads(), []string{
			"make x", "complete x",
			"rollout history {}",
			"annotate {} 'kubernetes.io/change-cause=the first one'",
			"set image {} app=app:v2", "complete x",
			"set env {} A=b", "complete x",
			"rollout history {}",
			"rollout history {type} x",
			"rollout history {type}",
			"rollout history {type} -l app=x",
			"rollout history -f x.json",
			"rollout history -k kustomize",
			"rollout history -f - < x.json",
			"rollout history {} --revision=1",
			"rollout history {} --revision=3",
			"~rollout history {} --revision=99",
			"~rollout history {} --revision=-1",
			"~rollout history",
			"rollout history {} '-o=jsonpath={.metadata.name} '",
			"rollout history {} '--template={{.metadata.name}} '",
			"rollout history {} -o name",
			"rollout history {} -o name --revision=2",
			"~rollout history {} -o name --revision=99",
			"~rollout history {} -o yaml --revision=99",
		}},
		{"none", []string{"deployment"}, []string{
			`make x {"spec":{"paused":true}}`,
			"rollout history {}",
			"~rollout history {} --revision=1",
		}},
		{"nothing", workloads(), []string{
			"~rollout history {}",
			"rollout history {type} -l app=none",
			"rollout history {type}",
		}},
		{"wrong kind", []string{"deployment"}, []string{
			"make x", "complete x", "create -f rc.json",
			"~rollout history rc/rc",
			"~rollout history rc/rc deployment/x",
			"rollout history things/x",
		}},
	} {
		s.tell(t)
	}
}

// One object's error does not keep the others from being tried, nor does a malformed file.
func TestSeveralSideBySide(t *testing.T) {
	t.Parallel()
	several := []string{"make x", "make y", "make z", "complete x", "complete y", "complete z"}
	set := []string{"set image {type}/x {type}/y {type}/z app=app:v2", "complete x", "complete y", "complete z"}
	broken := strings.Fields("make y " + broken)
	stories := []story{
		{"names", workloads(), []string{
			"~rollout status {type}/x {type}/none {type}/z",
			"~rollout history {type}/none {type}/x",
			"rollout history {type} x y",
			"~rollout undo {type}/none {type}/x {type}/y", "complete x", "complete y",
			"rollout undo {type} x z", "complete x", "complete z",
			"~rollout restart {type}/none {type}/x {type}/y", "complete x", "complete y",
			"rollout restart {type} x z", "complete x", "complete z",
			"~rollout status {type}/x y",
			"rollout status {type}/x {type}/x",
			"rollout status {type},things/x",
		}},
		{"labels", workloads(), []string{
			"rollout history {type} -l 'app in (x,y)'",
			"rollout undo {type} -l 'app in (x,y)'", "complete x", "complete y",
			"rollout restart {type} -l 'app in (x,y)'", "complete x", "complete y",
			"~rollout status {type} --selector tier=front",
			"~rollout status {type} -l app=",
			"~rollout status {type} -l 'app in'",
			"~rollout status {type}/x -l app=x",
		}},
		{"files", workloads(), []string{
			"rollout history -f folder",
			"rollout history -f folder -R",
			"rollout history -f folder/a.json -f folder/deeper/c.json",
			"~rollout status -f folder --recursive",
			"rollout undo -f folder -R", "complete x", "complete z",
			"~rollout undo -f folder -R --to-revision=99",
			"rollout restart -f folder -R", "complete x", "complete z",
			"rollout status -f none",
			"~rollout status -f x.json {type}/x",
			"~rollout status -f x.json -l app=x",
			"~rollout status -f x.json -k kustomize",
			"~rollout status -f x.json -n default",
		}},
	}
	for _, s := range stories {
		s.steps = append(append(append([]string{}, several...), set...), s.steps...)
		s.tell(t)
	}
	story{"paused", []string{"deployment"}, append(append([]string{}, several...),
		"rollout pause {type}/x {type}/y",
		"~rollout pause {type} x y z",
		"~rollout restart {type}/x {type}/none",
		"rollout resume -f folder -R",
		"rollout pause -f folder -R",
		"rollout resume {type}",
	)}.tell(t)
	// After one that has timed out the others are told all the same.
	story{"timeout", workloads(), []string{
		"make x", "complete x", "make z", "complete z", strings.Join(broken, " "),
		"~rollout status {type}/x {type}/y {type}/z --timeout=1s",
		"~rollout status {type} --timeout=1s",
		"~rollout status {type}/x {type}/y {type}/z --watch=false",
	}}.tell(t)
}

// Of what files name and nobody has created, the namespace is told and where to look, as of what arguments name.
func TestFilesOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, kind := range workloads() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSide(t, kind, "rollout-plus")
			want := "Error from server (NotFound): " + kind + `s.apps "x" not found in namespace "NAMESPACE"; 'kubectl get ` +
				kind + "s -n NAMESPACE' lists those there are\n"
			for _, command := range []string{"status", "history", "undo", "restart"} {
				for _, files := range []string{"-f=x.json", "-k=kustomize"} {
					if told := s.run("rollout-plus", command, files); told.code != 1 || told.out != "" || told.errOut != want {
						t.Errorf("%s %s: %s", command, files, told)
					}
				}
			}
		})
	}
}
