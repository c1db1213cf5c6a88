//go:build e2e

package e2e

import "testing"

// broken is a merge patch that lets no pod become ready.
const broken = `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:never-ready"}]}}}}`

func TestUndoSideBySide(t *testing.T) {
	t.Parallel()
	for _, s := range []story{
		{"done", workloads(), []string{
			"make x", "complete x",
			"set image {} app=app:v2", "complete x",
			"rollout undo {} --to-revision=2", // the same template
			"rollout undo {}", "complete x",
			"rollout undo {type} x", "complete x",
			"rollout undo {type}", "complete x",
			"rollout undo -f x.json --to-revision=4", "complete x",
			"rollout history {}",
		}},
		{"dry run", workloads(), []string{
			"make x", "complete x",
			"set image {} app=app:v2", "complete x",
			"rollout undo {} --dry-run=client",
			"rollout undo {} --dry-run=client --to-revision=1",
			"rollout undo {} --dry-run=client -o name",
			"rollout undo {} --dry-run",
			"~rollout undo {} --dry-run=server",
			"~rollout undo {} --dry-run=server --to-revision=2",
			"~rollout undo {} --dry-run=server -o name",
			"~rollout undo {} --dry-run=maybe",
			"rollout history {}",
		}},
		{"missing revision", workloads(), []string{
			"make x", "complete x",
			"~rollout undo {} --to-revision=99",
			"~rollout undo {} --to-revision=-1",
			"~rollout undo {} --to-revision=99 --dry-run=client",
			"~rollout undo {} --to-revision=one",
		}},
		{"no previous", workloads(), []string{"make x", "complete x", "~rollout undo {}", "~rollout undo {} --dry-run=client"}},
		{"paused", []string{"deployment"}, []string{
			"make x", "complete x",
			"set image {} app=app:v2", "complete x",
			"patch {} -p {\"spec\":{\"paused\":true}}",
			"~rollout undo {}",
			"~rollout undo {} --to-revision=1",
			"rollout undo {} --dry-run=client",
			"~rollout undo {} --dry-run=server",
		}},
		{"after apply", workloads(), []string{ // the warning about the annotation that apply leaves
			"apply -f x.json", "complete x",
			"set image {} app=app:v2", "complete x",
			"rollout undo {}", "complete x",
			"rollout undo {} --dry-run=client",
			"rollout undo {} -o name", "complete x",
		}},
		{"output", workloads(), []string{
			"make x", "complete x",
			"set image {} app=app:v2", "complete x",
			"rollout undo {} -o name", "complete x",
			"rollout undo {} '-o=jsonpath={.metadata.name} {.spec.template.spec.containers[0].image}'", "complete x",
			"rollout undo {} '--template={{.metadata.name}} {{.metadata.generation}}'", "complete x",
			"rollout undo {} -o go-template --template={{.kind}}", "complete x",
			"rollout undo {} -o json '--template={{.kind}}' --dry-run=client",
			"rollout history {}",
		}},
		{"whole template", workloads(), []string{ // what a later revision has added goes, what it has removed comes back
			`make x {"spec":{"template":{"metadata":{"annotations":{"a":"1"}},"spec":{"nodeSelector":{"kubernetes.io/os":"linux"},
				"containers":[{"name":"app","image":"app:v1","env":[{"name":"A","value":"1"}]},{"name":"side","image":"side:v1"}]}}}}`,
			`patch {} -p {"spec":{"template":{"metadata":{"annotations":{"a":null,"b":"2"}},"spec":{"nodeSelector":null,"hostname":"x",` +
				`"containers":[{"name":"app","env":[{"name":"A","$patch":"delete"}],"command":["run"]},{"name":"side","$patch":"delete"}]}}}}`,
			"rollout undo {} --dry-run=client",
			"rollout undo {}",
			"rollout history {} --revision=2",
			"rollout history {} --revision=3",
			"rollout undo {}",
		}},
		{"annotations", []string{"deployment"}, []string{ // those of the ReplicaSet come back, but for six
			"make x", "complete x",
			"annotate {} kubernetes.io/change-cause=first team=a", "complete x",
			"set image {} app=app:v2", "complete x",
			"annotate {} --overwrite kubernetes.io/change-cause=second team=b more=c",
			"rollout undo {}", "complete x",
			"rollout history {}",
		}},
		{"wrong kind", []string{"deployment"}, []string{
			"make x", "complete x", "create -f rc.json",
			"~rollout undo rc/rc",
			"~rollout undo rc/rc deployment/x",
			"~rollout undo service/kubernetes -n default",
			"rollout undo things/x",
		}},
	} {
		s.tell(t)
	}
}

// kubectl goes back and forth again with what is named twice.
func TestUndoOfWhatIsNamedTwice(t *testing.T) {
	t.Parallel()
	for _, kind := range workloads() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSide(t, kind, "rollout-plus")
			s.create(kind, "x", "")
			s.await(kind, "x", "")
			s.must("set", "image", kind+"/x", "app=app:v2")
			s.await(kind, "x", "")
			if told := s.run("rollout-plus", "undo", "-f", "x.json", "-f", "folder/a.json"); told.code != 0 || told.out != kind+".apps/x rolled back\n" {
				t.Error(told)
			}
			if image := s.must("get", kind+"/x", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "app:v1" {
				t.Errorf("it is left at %s, not at app:v1", image)
			}
		})
	}
}
