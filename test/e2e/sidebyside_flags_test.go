//go:build e2e

package e2e

import (
	"testing"
)

// outputs are the ways of writing an object that the commands of kubectl rollout share.
func outputs() []string {
	return []string{
		"-o name",
		"'-o=jsonpath={.metadata.name} {.spec.template.spec.containers[0].image}'",
		"-o jsonpath={.none}",
		"-o jsonpath={.none} --allow-missing-template-keys=false",
		"-o jsonpath-as-json={.spec.template.spec.containers}",
		"-o jsonpath-file=path.txt",
		"-o jsonpath-file --template=path.txt",
		"-o go-template={{.metadata.name}}{{.none}}",
		"-o go-template={{.metadata.name}}{{.none}} --allow-missing-template-keys=false",
		"-o go-template-file=template.txt",
		"-o template --template={{.kind}}",
		"-o templatefile --template=template.txt",
		"--template={{.kind}}",
		"-o name --template={{.kind}}",
	}
}

// whole are those that write all of it.
func whole() []string {
	return []string{"-o json", "-o yaml --show-managed-fields=false", "-o kyaml", "-o json --template={{.kind}}"}
}

// with is each of the commands in turn, each time with other flags, and after it what is done every time.
func with(flags []string, commands []string, after ...string) []string {
	var steps []string
	for i, flag := range flags {
		steps = append(append(steps, commands[i%len(commands)]+" "+flag), after...)
	}
	return steps
}

func TestOutputsSideBySide(t *testing.T) {
	t.Parallel()
	all := append(outputs(), whole()...)
	pause, dryRun := []string{"rollout pause {}", "rollout resume {}"}, []string{"rollout undo {} --dry-run=client"}
	for _, s := range []story{
		{"pause, resume", []string{"deployment"}, with(all, pause)},
		{"undo", []string{"statefulset"}, with(all, dryRun)},
		{"undo", []string{"deployment", "daemonset"}, with(whole(), []string{"rollout undo {}"}, "complete x")},
		{"undo on the server", []string{"daemonset"}, with(whole(), []string{"~rollout undo {} --dry-run=server"})},
		{"history", []string{"deployment"}, with(outputs(), []string{"rollout history {} --revision=1", "~rollout history {}"})},
		{"restart", workloads(), with(outputs()[:2], []string{"rollout restart {}"}, "complete x")},
	} {
		s.steps = append([]string{"make x", "complete x", "set image {} app=app:v2", "complete x"}, s.steps...)
		s.tell(t)
	}
}

// Files of every sort, and several objects of several kinds of which one fails.
func TestSelectionSideBySide(t *testing.T) {
	t.Parallel()
	second := []string{"make x", "complete x", "set image {} app=app:v2", "complete x", "create -f rc.json"}
	for _, s := range []story{
		{"standard input", workloads(), []string{
			"rollout undo -f - < x.json", "complete x",
			"rollout restart -f - < x.json", "complete x",
			"~rollout status -f - {} < x.json",
			"~rollout restart -f - < kustomize/kustomization.yaml",
			"~rollout undo -f - < folder/b-broken.json",
		}},
		{"kustomize", workloads(), []string{
			"rollout undo -k kustomize", "complete x",
			"rollout restart -k kustomize", "complete x",
			"rollout history -k none",
			"~rollout undo -k kustomize -f x.json",
			"~rollout restart -k kustomize -R",
			"~rollout undo -R",
		}},
		{"mixed", []string{"statefulset"}, []string{
			"~rollout restart rc/rc {} deployment/none statefulset/none daemonset/none", "complete x",
			"~rollout undo deployment/none rc/rc {} daemonset/none", "complete x",
			"~rollout undo -R -f folder", "complete x",
			"~rollout restart -R -f folder", "complete x",
			"~rollout history -R -f folder",
			"~rollout status -R -f folder",
			"~rollout history daemonset/none rc/rc {} statefulset/none",
			"~rollout status daemonset/none {} statefulset/none",
			"~rollout status rc/rc {} statefulset/none",
			"~rollout restart {type},rc -l tier=front", "complete x",
			"~rollout undo {type},rc -l tier=front", "complete x",
			"~rollout restart all -l tier=front", "complete x",
			"~rollout undo {type} none x", "complete x",
			"~rollout restart {type} none x", "complete x",
			"~rollout restart {type} x none -o name", "complete x",
			"rollout undo things/x {}",
			"~rollout restart {} -n none",
			"~rollout undo {} -n none",
		}},
		{"mixed", []string{"deployment"}, []string{
			"~rollout pause rc/rc {} deployment/none statefulset/none",
			"~rollout pause -f x.json -f rc.json",
			"~rollout resume deployment/none rc/rc {} daemonset/none",
			"~rollout resume -R -f folder",
			"rollout pause -k kustomize -o name",
			"~rollout resume deployment,rc -l tier=front",
			"~rollout pause deployment none x -o jsonpath={.metadata.name}",
		}},
	} {
		s.steps = append(append([]string{}, second...), s.steps...)
		s.tell(t)
	}
}

// The flags of undo, with its words for each.
func TestDryRunSideBySide(t *testing.T) {
	t.Parallel()
	for _, s := range []story{
		{"dry run", workloads(), []string{
			"make x", "make z", "complete x", "complete z", "set image {type}/x {type}/z app=app:v2", "complete x", "complete z",
			"rollout undo {type} --dry-run=client",
			"~rollout undo {type} x none z --dry-run=client",
			"~rollout undo {type} --dry-run=server",
			"~rollout undo {type}/x {type}/none {type}/z --dry-run=server",
			"rollout undo -R -f folder --dry-run=client",
			"rollout undo {type}/x --dry-run=none", "complete x",
			"rollout undo {type}/x --dry-run=client --to-revision=3",
			"~rollout undo {type}/x --dry-run=server --to-revision=3",
			"~rollout undo {type}/x --dry-run=client --to-revision=99",
			"~rollout undo {type}/x --dry-run=server --to-revision=99",
			"~rollout undo rc/rc --dry-run=server",
			"rollout undo {type} -l app=none --dry-run=client",
		}},
	} {
		s.tell(t)
	}
}
