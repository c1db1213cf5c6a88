package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/rollout-plus/kubectl-rollout-plus"
	root   = "../.."
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// listPackages asks go for this module's packages, without their tests.
func listPackages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./cmd/...", "./pkg/...")
	command.Dir = root
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// TestImports holds the direction app -> printers, configmap, rollout and printers -> rollout, and keeps command lines,
// colours and the operating system out of the engine.
func TestImports(t *testing.T) {
	t.Parallel()
	own := map[string][]string{
		"cmd/kubectl-rollout-plus": {"cmd/kubectl-rollout-plus/app", "cmd/kubectl-rollout-plus/app/cli"},
		"pkg/configmap":            {"pkg/rollout/fieldmanager"},
		"pkg/configmap/attach":     {"pkg/configmap"},
		"pkg/configmap/impact":     {"pkg/configmap"},
		"pkg/configmap/event":      {"pkg/configmap"},
		"pkg/configmap/store": {
			"pkg/configmap", "pkg/configmap/attach", "pkg/configmap/event", "pkg/configmap/impact", "pkg/rollout",
			"pkg/rollout/command", "pkg/rollout/fieldmanager", "pkg/rollout/jsonpatch", "pkg/rollout/kube",
			"pkg/rollout/podtemplate", "pkg/rollout/preflight", "pkg/rollout/preflight/survey", "pkg/rollout/workload",
		},
		"pkg/configmap/restore": {
			"pkg/configmap", "pkg/configmap/event", "pkg/configmap/impact", "pkg/configmap/store", "pkg/rollout",
			"pkg/rollout/command", "pkg/rollout/podtemplate", "pkg/rollout/workload",
		},
		"pkg/configmap/watch": {"pkg/configmap"},
		"pkg/printers": {
			"pkg/rollout", "pkg/rollout/diagnose", "pkg/rollout/history", "pkg/rollout/preflight", "pkg/rollout/workload",
		},
		"pkg/rollout": {
			"pkg/rollout/admission", "pkg/rollout/command", "pkg/rollout/diagnose", "pkg/rollout/fieldmanager",
			"pkg/rollout/history", "pkg/rollout/informer", "pkg/rollout/jsonpatch", "pkg/rollout/kube", "pkg/rollout/migration",
			"pkg/rollout/ownership",
			"pkg/rollout/plan", "pkg/rollout/podtemplate", "pkg/rollout/preflight", "pkg/rollout/preflight/survey", "pkg/rollout/relapse", "pkg/rollout/rights",
			"pkg/rollout/workload",
		},
		"pkg/rollout/rights": {"pkg/rollout/preflight"},
		"pkg/rollout/preflight/survey": {
			"pkg/rollout/preflight", "pkg/rollout/rights", "pkg/rollout/workload",
		},
		"pkg/rollout/command":      nil,
		"pkg/rollout/preflight":    nil,
		"pkg/rollout/diagnose":     {"pkg/rollout/command"},
		"pkg/rollout/fieldmanager": nil,
		"pkg/rollout/admission":    {"pkg/rollout/command", "pkg/rollout/podtemplate", "pkg/rollout/workload"},
		"pkg/rollout/migration":    nil,
		"pkg/rollout/ownership":    nil,
		"pkg/rollout/relapse":      nil,
		"pkg/rollout/workload":     nil,
		"pkg/rollout/plan":         {"pkg/rollout/workload"},
		"pkg/rollout/podtemplate":  {"pkg/rollout/workload"},
		"pkg/rollout/jsonpatch":    nil,
		"pkg/rollout/history": {
			"pkg/rollout/fieldmanager", "pkg/rollout/kube", "pkg/rollout/podtemplate", "pkg/rollout/workload",
		},
		"pkg/rollout/kube":     {"pkg/rollout/workload"},
		"pkg/rollout/informer": {"pkg/rollout/kube", "pkg/rollout/workload"},
		"pkg/rollout/rollback": {
			"pkg/rollout", "pkg/rollout/admission", "pkg/rollout/jsonpatch", "pkg/rollout/kube", "pkg/rollout/podtemplate",
			"pkg/rollout/workload",
		},
	}
	// Not even by way of others.
	forbidden := map[string][]string{
		// kubectl's own rollbacker depends on the packages of its commands.
		"pkg/rollout/rollback": {"github.com/fatih/color"},
		"pkg/rollout":          {"github.com/spf13/cobra", "github.com/spf13/pflag", "k8s.io/cli-runtime", "k8s.io/kubectl", "github.com/fatih/color"},
		"pkg/printers":         {"github.com/spf13/cobra", "k8s.io/cli-runtime", "k8s.io/kubectl"},
		"pkg/configmap":        {"github.com/spf13/cobra", "k8s.io/cli-runtime", "k8s.io/kubectl"},
	}
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if _, known := own[name]; !known && !inApp(name) {
			t.Errorf("this test does not know %s", name)
		}
		for _, path := range p.Imports {
			inner, found := strings.CutPrefix(path, module+"/")
			if found && !slices.Contains(own[name], inner) && !appImports(name, inner) {
				t.Errorf("%s imports %s", name, inner)
			}
			libraries := strings.HasPrefix(name, "pkg/rollout") || strings.HasPrefix(name, "pkg/configmap/")
			if libraries && (path == "os" || strings.HasPrefix(path, "os/")) {
				t.Errorf("%s imports %s", name, path)
			}
		}
		for _, path := range p.Deps {
			for _, bad := range forbiddenIn(forbidden, name) {
				// client-go itself depends on pflag, through which nothing comes in here.
				indirectly := path == "github.com/spf13/pflag" && !slices.Contains(p.Imports, path)
				// Versions have the names of kubectl's --append-hash, which is a package by itself.
				indirectly = indirectly || strings.HasPrefix(name, "pkg/configmap") && path == "k8s.io/kubectl/pkg/util/hash"
				if (path == bad || strings.HasPrefix(path, bad+"/")) && !indirectly {
					t.Errorf("%s depends on %s", name, path)
				}
			}
		}
	}
}

const app = "cmd/kubectl-rollout-plus/app"

func inApp(name string) bool { return name == app || strings.HasPrefix(name, app+"/") }

// appImports reports whether a package of the command line may import another one. All of them may import the libraries.
// Commands may import what they share, but no other command.
func appImports(name, inner string) bool {
	// shared maps each package that commands share to the packages that it imports.
	shared := map[string][]string{
		"apiserver":     nil,
		"stream":        nil,
		"cli":           {"apiserver", "stream"},
		"adjust":        {"cli"},
		"compare":       {"cli"},
		"wait":          {"cli"},
		"configuration": {"cli", "compare", "wait"},
	}
	of, ofApp := strings.CutPrefix(inner, app+"/")
	switch {
	case !inApp(name):
		return false
	case !ofApp:
		return strings.HasPrefix(inner, "pkg/")
	case name == app:
		return true
	}
	imports, isShared := shared[strings.TrimPrefix(name, app+"/")]
	if isShared {
		return slices.Contains(imports, of)
	}
	_, isShared = shared[of]
	return isShared
}

// forbiddenIn returns what a package must not depend on: the list of the innermost folder that has one.
func forbiddenIn(forbidden map[string][]string, name string) []string {
	for ; name != "."; name = path.Dir(name) {
		if bad, has := forbidden[name]; has {
			return bad
		}
	}
	return nil
}

// TestForbiddenCalls looks for what only main may do, and for the clock in places where it is injected.
func TestForbiddenCalls(t *testing.T) {
	t.Parallel()
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for path, file := range sources(t) {
		isMain, inPkg := path == "cmd/kubectl-rollout-plus/main.go", strings.HasPrefix(path, "pkg/")
		names := importNames(file)
		ast.Inspect(file, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s has an init function", path)
				}
			case *ast.SelectorExpr:
				from, ok := n.X.(*ast.Ident)
				if !ok {
					return true
				}
				switch {
				case names[from.Name] == "os" && n.Sel.Name == "Exit" && !isMain, names[from.Name] == "log" && strings.HasPrefix(n.Sel.Name, "Fatal"):
					t.Errorf("%s calls %s.%s; only main exits", path, from.Name, n.Sel.Name)
				case names[from.Name] == "time" && inPkg && slices.Contains(clock, n.Sel.Name):
					t.Errorf("%s calls time.%s; the clock is injected", path, n.Sel.Name)
				}
			}
			return true
		})
	}
}

// sources are the files that ship, by their path in the repository.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, folder := range []string{"cmd", "pkg"} {
		err := fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
			files[path] = file
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 20 {
		t.Fatalf("only %d files found", len(files))
	}
	return files
}

// importNames are the names under which a file knows its imports.
func importNames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = path
	}
	return names
}
