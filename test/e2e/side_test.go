//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubectl/pkg/polymorphichelpers"
)

// side is a namespace with kubectl, or with the plugin in place of its rollout.
type side struct {
	*space
	dir, rollout string
}

func newSide(t *testing.T, kind, rollout string) *side {
	t.Helper()
	dir := t.TempDir()
	s := &side{space: openSpace(t, dir), dir: dir, rollout: rollout}
	files, err := os.ReadDir("testdata/sidebyside")
	must(t, err)
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join("testdata/sidebyside", file.Name()))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, file.Name()), data, 0o644))
	}
	s.layOut(kind)
	return s
}

// layOut makes a folder of files, some of them malformed, of which one is deeper, and a kustomization.
func (s *side) layOut(kind string) {
	s.Helper()
	files := map[string][]byte{
		"folder/a.json":                s.manifest(kind, "x", ""),
		"folder/b-broken.json":         bytes.Replace(s.manifest(kind, "y", ""), []byte(`"kind"`), []byte(`"ind"`), 1),
		"folder/deeper/c.json":         s.manifest(kind, "z", ""),
		"kustomize/kustomization.yaml": []byte("resources: [x.json]\n"),
		"kustomize/x.json":             s.manifest(kind, "x", ""),
		"x.json":                       s.manifest(kind, "x", ""),
	}
	for name, data := range files {
		file := filepath.Join(s.dir, name)
		must(s.TB, os.MkdirAll(filepath.Dir(file), 0o755))
		must(s.TB, os.WriteFile(file, data, 0o644))
	}
}

// manifest is that of a workload by this name, with a change to it.
func (s *side) manifest(kind, name, edit string) []byte {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, kind+".json"))
	must(s.TB, err)
	named := `{"metadata":{"name":"` + name + `","labels":{"app":"` + name + `"}},
		"spec":{"selector":{"matchLabels":{"app":"` + name + `"}},"template":{"metadata":{"labels":{"app":"` + name + `"}}}}}`
	for _, patch := range []string{named, edit} {
		if patch != "" {
			data, err = jsonpatch.MergePatch(data, []byte(patch))
			must(s.TB, err)
		}
	}
	var indented bytes.Buffer
	must(s.TB, json.Indent(&indented, data, "", "  "))
	return indented.Bytes()
}

func (s *side) create(kind, name, edit string) {
	s.Helper()
	must(s.TB, s.client.AppsV1().RESTClient().Post().Namespace(s.name).Resource(kind+"s").
		SetHeader("Content-Type", "application/json").Body(s.manifest(kind, name, edit)).Do(s.Context()).Error())
}

// list reads all workloads of a kind. What the tests only wait for they ask themselves: it is quicker than kubectl.
func (s *side) list(kind string) []unstructured.Unstructured {
	s.Helper()
	data, err := s.client.AppsV1().RESTClient().Get().Namespace(s.name).Resource(kind+"s").
		SetHeader("Accept", "application/json").Do(s.Context()).Raw()
	must(s.TB, err)
	list := &unstructured.UnstructuredList{}
	must(s.TB, list.UnmarshalJSON(data))
	return list.Items
}

// await waits until kubectl's status of a workload is this, or done when no text is given.
func (s *side) await(kind, name, text string) {
	s.Helper()
	kinds := map[string]string{"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
	viewer, err := polymorphichelpers.StatusViewerFor(schema.GroupKind{Group: "apps", Kind: kinds[kind]})
	must(s.TB, err)
	told := "nothing"
	s.until(func() bool {
		for _, object := range s.list(kind) {
			if object.GetName() != name {
				continue
			}
			status, done, err := viewer.Status(&object, 0)
			if told = status; err != nil {
				told = err.Error()
			}
			return text == "" && done && settled(object) || text != "" && strings.Contains(told, text)
		}
		return false
	}, func() string {
		return fmt.Sprintf("the status of %s/%s does not become %q, it is %q", kind, name, text, told)
	})
}

// settled tells of a StatefulSet whether its rollout has ended. By kubectl's status it has when the last pod is a new
// one, which may then become unready once more.
func settled(object unstructured.Unstructured) bool {
	current, _, _ := unstructured.NestedString(object.Object, "status", "currentRevision")
	update, _, _ := unstructured.NestedString(object.Object, "status", "updateRevision")
	return current == update
}

// observed waits until the controllers have seen what was written.
func (s *side) observed(kind string) {
	s.Helper()
	s.until(func() bool {
		for _, object := range s.list(kind) {
			seen, _, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
			must(s.TB, err)
			if seen < object.GetGeneration() {
				return false
			}
		}
		return true
	}, func() string { return "the controllers do not see what was written" })
}

// must runs a command of kubectl that has to succeed.
func (s *side) must(args ...string) string {
	s.Helper()
	told := s.run(args...)
	if told.code != 0 {
		s.Fatalf("kubectl %s: %s", strings.Join(args, " "), told)
	}
	return told.out
}

func (s *side) run(args ...string) answer {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	var out, errOut bytes.Buffer
	var in []byte
	if at := slices.Index(args, "<"); at >= 0 {
		data, err := os.ReadFile(filepath.Join(s.dir, args[at+1]))
		must(s.TB, err)
		in, args = data, args[:at]
	}
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Dir, cmd.Env = s.dir, s.environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errOut
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		s.Fatalf("%v: %v\n%s%s", cmd.Args, err, &out, &errOut)
	}
	told := answer{out: s.normal(out.String()), errOut: withoutWay(s.normal(errOut.String())), code: cmd.ProcessState.ExitCode()}
	if len(args) > 1 && args[1] == "status" {
		told.out = once(told.out)
	}
	return told
}

// once is a text without the lines that are told again when nothing has changed, as status may.
func once(text string) string {
	return strings.Join(slices.Compact(strings.SplitAfter(text, "\n")), "")
}

// normal is a text without what differs between two namespaces and two moments.
func (s *side) normal(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, s.name, "NAMESPACE"), s.dir, "DIR")
	for pattern, name := range map[string]string{
		`(?m)^See '.*--help' for usage\.\n`:                                    "", // where to read on the plugin says in the same line
		`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`:                      "TIME",
		`(?m)^(\t(?:raw data|object given to \w+ engine) was:\n).*$`:           "${1}OBJECT",
		`(?m)^[IWE]\d{4} [\d:.]+ +\d+ `:                                        "LOG ",
		`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`:         "UID",
		`(?m)(resourceVersion"?: )"\d+"`:                                       "${1}VERSION",
		`"kubectl.kubernetes.io/last-applied-configuration":"(?:[^"\\]|\\.)*"`: "LAST-APPLIED",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, name)
	}
	return text
}

// answer is what a command has told.
type answer struct {
	out, errOut string
	code        int
}

func (a answer) String() string {
	return fmt.Sprintf("exit code %d\nstdout: %s\nstderr: %s\n", a.code, a.out, a.errOut)
}
