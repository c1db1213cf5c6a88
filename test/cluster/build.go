package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// tool is one program of the cluster and the package it is built from.
type tool struct {
	name, pkg string
	// kubernetes marks the programs that carry the Kubernetes version stamp.
	kubernetes bool
}

// tools lists what to build, the long builds first: what the later ones share is compiled by then.
func tools() []tool {
	const cmd = "k8s.io/kubernetes/cmd/"
	return []tool{
		{"kube-apiserver", cmd + "kube-apiserver", true},
		{"kube-controller-manager", cmd + "kube-controller-manager", true},
		{"kube-scheduler", cmd + "kube-scheduler", true},
		{"kubectl", cmd + "kubectl", true},
		{"etcd", "go.etcd.io/etcd/server/v3", false},
		{"kwok", "sigs.k8s.io/kwok/cmd/kwok", false},
		{"kwokctl", "sigs.k8s.io/kwok/cmd/kwokctl", false},
	}
}

func (c *cluster) bin(name string) string { return filepath.Join(c.cache, "bin", name) }

// buildMissing builds every program whose cached binary is absent or of another version.
func (c *cluster) buildMissing(ctx context.Context) error {
	version, err := kubernetesVersion(goMod)
	if err != nil {
		return err
	}
	var missing []tool
	for _, t := range tools() {
		if !c.built(t, flagsFor(t, version)) {
			missing = append(missing, t)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := c.writeModule(); err != nil {
		return err
	}
	start := time.Now()
	c.logf("building %d programs of Kubernetes %s from source into %s", len(missing), version, c.bin(""))
	c.logf("the first time this takes minutes (about 10 on 2 cores); later runs reuse the result")
	for i, t := range missing {
		if err := c.buildOne(ctx, t, flagsFor(t, version), fmt.Sprintf("[%d/%d] %s", i+1, len(missing), t.name)); err != nil {
			return err
		}
	}
	c.logf("built in %s", time.Since(start).Round(time.Second))
	return nil
}

func flagsFor(t tool, version string) string {
	if t.kubernetes {
		return ldflags(version)
	}
	return "-s -w"
}

func (c *cluster) built(t tool, flags string) bool {
	key, err := os.ReadFile(c.bin(t.name) + ".key")
	if err != nil || string(key) != buildKey(t, flags) {
		return false
	}
	_, err = os.Stat(c.bin(t.name))
	return err == nil
}

// writeModule lays out the module that pins the versions, for go build to run in.
func (c *cluster) writeModule() error {
	for _, dir := range []string{"bin", "src"} {
		if err := os.MkdirAll(filepath.Join(c.cache, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(c.cache, "src", "go.mod"), []byte(goMod), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.cache, "src", "go.sum"), []byte(goSum), 0o644)
}

// buildOne writes the key last: an interrupted build is never taken for a finished one.
func (c *cluster) buildOne(ctx context.Context, t tool, flags, label string) error {
	start := time.Now()
	c.logf("%s ...", label)
	temp := c.bin(t.name) + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-mod=readonly", "-ldflags="+flags, "-o", temp, t.pkg)
	cmd.Dir = filepath.Join(c.cache, "src")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "PWD="+cmd.Dir)
	endWithChildren(cmd, syscall.SIGINT)
	if err := c.watchBuild(cmd, label, start); err != nil {
		return fmt.Errorf("building %s: %w", t.name, err)
	}
	if err := os.Rename(temp, c.bin(t.name)); err != nil {
		return err
	}
	c.logf("%s done in %s", label, time.Since(start).Round(time.Second))
	return os.WriteFile(c.bin(t.name)+".key", []byte(buildKey(t, flags)), 0o644)
}

// watchBuild reports how far the build is every few seconds, and what go said when it fails.
func (c *cluster) watchBuild(cmd *exec.Cmd, label string, start time.Time) error {
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var packages atomic.Int64
	done := make(chan string)
	go func() { done <- scanBuild(out, &packages) }()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.logf("%s: %s, %d packages compiled so far", label, time.Since(start).Round(time.Second), packages.Load())
		case said := <-done:
			if err := cmd.Wait(); err != nil {
				return fmt.Errorf("%w\n%s", err, said)
			}
			return nil
		}
	}
}

// scanBuild counts the package names `go build -v` prints and keeps everything else it says.
func scanBuild(r io.Reader, packages *atomic.Int64) string {
	var said strings.Builder
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if line != "" && !strings.ContainsAny(line, " \t:#") {
			packages.Add(1)
			continue
		}
		said.WriteString(line + "\n")
	}
	return said.String()
}
