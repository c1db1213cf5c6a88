package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestKubernetesVersionIsTheOneInGoMod(t *testing.T) {
	got, err := kubernetesVersion("module x\n\nrequire (\n\tk8s.io/kubernetes v1.2.3 // indirect\n)\n")
	if err != nil || got != "v1.2.3" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := kubernetesVersion(goMod); err != nil {
		t.Error(err)
	}
	if _, err := kubernetesVersion("module x\n"); err == nil {
		t.Error("no error for a module without Kubernetes")
	}
}

func TestEveryBuiltProgramIsAPinnedTool(t *testing.T) {
	for _, tool := range tools() {
		if !strings.Contains(goMod, "\t"+tool.pkg+"\n") {
			t.Errorf("go.mod has no tool line for %s", tool.pkg)
		}
	}
}

func TestBuildKeyChangesWithTheVersion(t *testing.T) {
	tool := tools()[0]
	if (source{kubernetes: "v1.37.2"}).key(tool) == (source{kubernetes: "v1.37.3"}).key(tool) {
		t.Error("two versions share a key: the old binary would be used")
	}
}

func TestAReleaseIsBuiltFromItsPublishedModules(t *testing.T) {
	var file moduleFile
	err := json.Unmarshal([]byte(`{"Go": "1.24.0", "Godebug": [{"Key": "default", "Value": "go1.24"}], "Replace": [
		{"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
		{"Old": {"Path": "example.com/a"}, "New": {"Path": "example.com/b", "Version": "v1.0.0"}}]}`), &file)
	if err != nil {
		t.Fatal(err)
	}
	const want = "module cluster\n\ngo 1.24.0\n\ngodebug default=go1.24\nrequire k8s.io/kubernetes v1.34.4\n" +
		"replace k8s.io/api => k8s.io/api v0.34.4\n"
	if got := file.release("v1.34.4"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestOnlyTheControlPlaneIsOfTheChosenVersion(t *testing.T) {
	s := sources{pinned: source{kubernetes: "v1.37.2"}, release: source{kubernetes: "v1.34.4"}}
	var chosen []string
	for _, tool := range tools() {
		if s.of(tool).kubernetes == "v1.34.4" {
			chosen = append(chosen, tool.name)
		}
	}
	if want := []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"}; !slices.Equal(chosen, want) {
		t.Errorf("got %v, want %v", chosen, want)
	}
}

func TestParseProcessesTakesOnlyTheClustersOwn(t *testing.T) {
	const list = `
    1 Ss   /sbin/init
   20 Ssl  /cache/kwok/clusters/a/bin/etcd --name=node0
   21 Zs   /cache/kwok/clusters/a/bin/kube-apiserver
   22 Ssl  /cache/kwok/clusters/ab/bin/etcd --name=node0
   23 S+   grep /cache/kwok/clusters/a/bin/etcd
   24 R    /cache/kwok/clusters/a/bin/kube-scheduler`
	got := parseProcesses(list, "/cache/kwok/clusters/a/bin/")
	want := []process{{"etcd", 20}, {"kube-scheduler", 24}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestForgetStrangersKeepsOnlyThePidFilesOfItsOwnProcesses(t *testing.T) {
	c := &cluster{options: options{name: "a", cache: t.TempDir()}, progress: io.Discard}
	dir := filepath.Join(c.clusterDir(), "pids")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, pid := range map[string]string{"etcd.pid": "20", "kube-apiserver.pid": "21", "kwok.pid": "rubbish"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(pid), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.forgetStrangers([]process{{"etcd", 20}}); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || !slices.Equal(left, []string{filepath.Join(dir, "etcd.pid")}) {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestScanBuildCountsPackagesAndKeepsMessages(t *testing.T) {
	var packages atomic.Int64
	said := scanBuild(strings.NewReader("k8s.io/api/core/v1\nfmt\n# k8s.io/x\nx.go:1:2: undefined: y\n"), &packages)
	if packages.Load() != 2 || said != "# k8s.io/x\nx.go:1:2: undefined: y\n" {
		t.Errorf("%d packages, said %q", packages.Load(), said)
	}
}

func TestFlags(t *testing.T) {
	for _, bad := range []string{"", "up --name A", "up --name a/b", "up --nodes 0", "up --nodes 251", "up more", "run", "up --no-such-flag", "up --kubernetes 1.34", "up --kubernetes latest"} {
		if _, _, err := parse(strings.Fields(bad), io.Discard); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	o, command, err := parse(strings.Fields("run --name b --cache x -- go test -v"), io.Discard)
	if err != nil || command != "run" || o.name != "b" || !filepath.IsAbs(o.cache) || len(o.rest) != 3 {
		t.Errorf("got %+v, %q, %v", o, command, err)
	}
	if o, _, err := parse(strings.Fields("up --kubernetes 1.34.4"), io.Discard); err != nil || o.kubernetes != "v1.34.4" || filepath.Base(o.cache) != "cluster-v1.34.4" {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestManifestsHoldStagesNodesAndLogs(t *testing.T) {
	c := &cluster{options: options{name: "a", nodes: 3, cache: t.TempDir()}, progress: io.Discard}
	if err := os.MkdirAll(c.state(), 0o755); err != nil {
		t.Fatal(err)
	}
	all, err := c.manifests()
	if err != nil {
		t.Fatal(err)
	}
	for want, times := range map[string]int{"kind: Node\nmetadata": 3, "kind: ClusterLogs": 1, "name: pod-ready\n": 1, "name: pod-crash\n": 1} {
		if got := strings.Count(string(all), want); got != times {
			t.Errorf("%d times %q, want %d", got, want, times)
		}
	}
}
