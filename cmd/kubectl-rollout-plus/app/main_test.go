package app

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/compare"
)

var update = flag.Bool("update", false, "write the golden files anew")

// call runs a command line in this process. Nothing listens where its kubeconfig points to.
func call(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	return callOn(t.Context(), t, "http://127.0.0.1:1", args...)
}

// callOn is the same with a server of the test's.
func callOn(ctx context.Context, t *testing.T, server string, args ...string) (code int, out, errOut string) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "config")
	const config = `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","namespace":"shop"}}],` +
		`"clusters":[{"name":"c","cluster":{"server":"%s"}}]}`
	if err := os.WriteFile(kubeconfig, fmt.Appendf(nil, config, server), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code = Main(ctx, Process{
		Args: append([]string{"kubectl-rollout_plus", "--kubeconfig", kubeconfig}, args...),
		In:   strings.NewReader(""), Out: &stdout, ErrOut: &stderr,
		LookupEnv: func(string) (string, bool) { return "", false }, Version: "v1.2.3",
	})
	return code, stdout.String(), stderr.String()
}

// golden compares with a file of testdata; go test ./cmd/... -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// TestBadFlagsAreUsageErrors covers what is refused before anything is asked of a cluster.
func TestBadFlagsAreUsageErrors(t *testing.T) {
	t.Parallel()
	const start = "start deployment/web --image web:2 "
	for line, want := range map[string]string{
		"nonsense":                                      `unknown command "nonsense"`,
		"start":                                         "required resource not specified",
		"start web --image web:2":                       "TYPE/NAME",
		"start replicaset/web --image web:2":            "only Deployments, StatefulSets and DaemonSets",
		start + "--steps 0":                             "--steps",
		start + "--steps 50%,20%":                       "does not rise",
		start + "--steps x":                             "neither a count",
		start + "--max-surge -1":                        "--max-surge",
		start + "--max-unavailable 200%":                "--max-unavailable",
		start + "--max-surge 0 --max-unavailable 0":     "both are zero",
		start + "--hold -1s":                            "--hold",
		start + "--hold soon":                           "--hold",
		start + "--drain 0":                             "--drain",
		start + "--drain 1500ms":                        "whole seconds",
		start + "--drain -5s":                           "--drain",
		start + "--drain 2h":                            "an hour",
		"start deployment/w --drain 5s --to-revision 1": "exclude each other",
		"create deployment web --image a --drain 1.5s":  "whole seconds",
		start + "--timeout -1s":                         "--timeout",
		start + "--on-failure panic":                    "expected rollback or hold",
		start + "--env 1":                               "--env",
		start + "--image =x":                            "--image",
		start + "--to-revision 3":                       "exclude each other",
		start + "--dry-run=maybe":                       "dry-run",
		start + "-o yaml":                               "expected json",
		start + "--color blue":                          "--color",
		start + "--nonsense":                            "--nonsense",
		start + "--force-conflicts":                     "goes with -f",
		start + "-f missing.yaml":                       "exclude each other",
		"start -f missing.yaml":                         "missing.yaml",
		"start deployment/web --to-revision -1":         "--to-revision",
		start + "--field-manager=":                      "--field-manager",
		"resume":                                        "required resource",
		"resume deployment/web --timeout -1s":           "--timeout",
		"abort pod/web":                                 "only Deployments",
		"status deployment/web --revision -1":           "revision must be a positive integer",
		"status deployment/web --timeout -1s":           "--timeout",
		"history":                                       "required resource not specified",
		"history deployment/web --revision -1":          "revision must be a positive integer: -1",
		"history deployment/web -o nonsense":            "wide",
		"diff":                                          "required resource not specified",
		"diff web":                                      "TYPE/NAME",
		"diff pod/web":                                  "only Deployments, StatefulSets and DaemonSets",
		"diff deployment/web deployment/db":             "one object at a time",
		"diff deployment web db":                        "one object at a time",
		"diff deployment/":                              "not the name of",
		"diff sts/web --revision 0":                     "revision must be a positive integer: 0",
		"diff sts/web --revision 1,2,3":                 "--revision was given 3 times",
		"diff ds/web --color blue":                      "--color",
		"undo deployment/web --to-revision -1":          "error: unable to find specified revision -1 in history; --to-revision takes the number of one, or 0 for the one before; 'kubectl rollout-plus history --help' tells how to list",
		"undo deployment/web --hold 1m":                 "--hold goes with --steps",
		"undo deployment/web --steps 0":                 "--steps",
		"restart deployment/web --force --steps 1":      "--force does not go with --steps",
		"restart --stale deployment/web":                "find the workloads themselves",
		"restart --stale -l app=web":                    "find the workloads themselves",
		"restart --config web -f web.yaml":              "find the workloads themselves",
		"restart --config web -k overlay":               "find the workloads themselves",
		"restart --stale --force":                       "do not go with --config and --stale",
		"restart --config web -o yaml":                  "expected json",
		"restart deployment/web --skip-checks":          "go with --config or --stale",
		"restart deployment/web --dry-run=client":       "go with --config or --stale",
		"restart --stale --dry-run=maybe":               "Invalid dry-run value",
		"config set web a=b -o yaml":                    "expected json",
		"config attach ds/web --mount-config a=/a -o x": "expected json",
		"config watch web -o yaml":                      "expected json",
		"restart --stale --template {{.metadata}}":      "do not go with --config and --stale",
		"restart --config web --stale":                  "exclude each other",
		"create deployment":                             "exactly one NAME",
		"create deployment web":                         "--image is required",
		"create deployment We_b --image a":              "not the name of a Deployment",
		"create deployment web --image a --replicas -1": "--replicas",
		"create deployment web --image a --port 0":      "--port",
		"create deployment web --image a --env A-":      "expected KEY=VALUE",
		"create deployment web --image a --ready x":     "--ready",
		"create deployment web --image a --service":     "--service needs a port",
		"create deployment web --image a --service=0":   "--service",
		"create deployment web --image a --max-surge 0": "none may be missing",
		"create deployment web --image a -o nothing":    "nothing",
		"version -o yaml":                               "expected json",
	} {
		code, out, errOut := call(t, strings.Fields(line)...)
		if code != cli.ExitUsage || !strings.Contains(errOut, want) || !strings.HasPrefix(errOut, "error: ") || out != "" {
			t.Errorf("%s: exit code %d, out %q, err %q; want %q", line, code, out, errOut, want)
		}
	}
}

func TestCreateDeploymentManifests(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"least.yaml":   "create deployment web --image registry.example.com/web:v1 --dry-run=client -o yaml",
		"several.yaml": "create deployment web --image web:v1 --replicas 3 --port 8080 --env A=1 --env B= --ready http:8080/healthz --service=80 --dry-run=client -o yaml -- serve --fast",
		"limits.yaml":  "create deployment web --image web:v1 --replicas 4 --ready tcp:5432 --max-surge 25% --max-unavailable 0 -n other --dry-run=client -o yaml",
		"port.json":    "create deployment web --image web:v1 --port 8080 --service --dry-run=client -o json",
	} {
		code, out, errOut := call(t, strings.Fields(line)...)
		said := ""
		if strings.Contains(line, "--service") {
			said = `deployment "web": preStop sleep of 5 s added to container web, terminationGracePeriodSeconds 30 -> 35; --drain 0 for none` + "\n"
		}
		if code != cli.ExitDone || errOut != said {
			t.Errorf("%s: exit code %d: %s", name, code, errOut)
		}
		golden(t, name, out)
	}
	code, out, _ := call(t, strings.Fields("create deployment web --image web:v1 --service=80 --dry-run=client")...)
	if code != cli.ExitDone || out != "deployment.apps/web created (dry run)\nservice/web created (dry run)\n" {
		t.Errorf("%d: %q", code, out)
	}
}

func TestCreateConfigMap(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "web.env")
	if err := os.WriteFile(file, []byte("B=2\nC=3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := call(t, "create", "configmap", "web", "--from-env-file", file, "--dry-run=client", "-o", "yaml")
	if code != cli.ExitDone || !strings.Contains(out, "  B: \"2\"\n  C: \"3\"\n") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	if err := os.WriteFile(file, []byte("A="+strings.Repeat("x", 1<<16)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut = call(t, "create", "configmap", "web", "--from-env-file", file, "--dry-run=client", "-o", "yaml")
	if code != cli.ExitUsage || out != "" || !strings.Contains(errOut, "line 1 has 65538 bytes") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if code, out, _ := call(t, "version"); code != cli.ExitDone || !strings.HasPrefix(out, "kubectl rollout-plus v1.2.3 (go") {
		t.Errorf("%d: %q", code, out)
	}
	if code, out, _ := call(t, "version", "-o", "json"); code != cli.ExitDone || !strings.Contains(out, `"schemaVersion":1`) {
		t.Errorf("%d: %q", code, out)
	}
}

// TestHelp shows every command under the name that people type, within 80 columns.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "start", "status", "resume", "abort", "pause", "restart", "undo", "history", "diff", "create", "create deployment",
		"create configmap", "config", "config affected", "config watch", "version", "exit-codes",
	} {
		code, out, errOut := call(t, append(strings.Fields(line), "--help")...)
		if code != cli.ExitDone || errOut != "" || !strings.Contains(out, "kubectl rollout-plus") || strings.Contains(out, "kubectl-rollout_plus") {
			t.Errorf("%q: exit code %d, %s\n%s", line, code, errOut, out)
		}
		for text := range strings.Lines(out) {
			if len(text) > usageWidth+1 {
				t.Errorf("%q: %s", line, text)
			}
		}
	}
	if code, out, _ := call(t, "help", "exit-codes"); code != cli.ExitDone || !strings.Contains(out, "  124  ") {
		t.Errorf("%d: %s", code, out)
	}
}

// TestNobodyThere is an error in one sentence, not a usage error.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	code, out, errOut := call(t, "start", "deployment/web", "--image", "web:2")
	if code != cli.ExitError || out != "" || !strings.HasPrefix(errOut, "error: ") || strings.Count(errOut, "\n") != 1 {
		t.Errorf("%d: %q, %q", code, out, errOut)
	}
	// 1 would say that something differs.
	code, out, errOut = call(t, "diff", "deployment/web")
	if code != compare.ExitTrouble || out != "" || strings.Count(errOut, "\n") != 1 {
		t.Errorf("%d: %q, %q", code, out, errOut)
	}
	code, out, _ = call(t, "start", "deployment/web", "--image", "web:2", "-o", "json")
	if code != cli.ExitError || !strings.Contains(out, `"type":"result"`) || !strings.Contains(out, `"outcome":"error","exitCode":1`) {
		t.Errorf("%d: %q", code, out)
	}
}
