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
	// release marks the programs whose version --kubernetes selects.
	release bool
}

// tools lists what to build, the long builds first. They compile what the later ones share.
func tools() []tool {
	const cmd = "k8s.io/kubernetes/cmd/"
	return []tool{
		{name: "kube-apiserver", pkg: cmd + "kube-apiserver", kubernetes: true, release: true},
		{name: "kube-controller-manager", pkg: cmd + "kube-controller-manager", kubernetes: true, release: true},
		{name: "kube-scheduler", pkg: cmd + "kube-scheduler", kubernetes: true, release: true},
		{name: "kubectl", pkg: cmd + "kubectl", kubernetes: true},
		{name: "etcd", pkg: "go.etcd.io/etcd/server/v3"},
		{name: "kwok", pkg: "sigs.k8s.io/kwok/cmd/kwok"},
		{name: "kwokctl", pkg: "sigs.k8s.io/kwok/cmd/kwokctl"},
	}
}

func (c *cluster) bin(name string) string { return filepath.Join(c.cache, "bin", name) }

// buildMissing builds every program whose cached binary is absent or of another version.
func (c *cluster) buildMissing(ctx context.Context) error {
	sources, err := c.sources(ctx)
	if err != nil {
		return err
	}
	var missing []tool
	for _, t := range tools() {
		if !c.built(t, sources.of(t)) {
			missing = append(missing, t)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	start := time.Now()
	c.logf("building %d programs of Kubernetes %s from source into %s", len(missing), c.kubernetes, c.bin(""))
	c.logf("the first time this takes minutes (about 10 on 2 cores); later runs reuse the result")
	for i, t := range missing {
		if err := c.buildOne(ctx, t, sources.of(t), fmt.Sprintf("[%d/%d] %s", i+1, len(missing), t.name)); err != nil {
			return err
		}
	}
	c.logf("built in %s", time.Since(start).Round(time.Second))
	return nil
}

func (c *cluster) built(t tool, from source) bool {
	key, err := os.ReadFile(c.bin(t.name) + ".key")
	if err != nil || string(key) != from.key(t) {
		return false
	}
	_, err = os.Stat(c.bin(t.name))
	return err == nil
}

// buildOne builds one program. It writes the key last, so that an interrupted build never counts as finished.
func (c *cluster) buildOne(ctx context.Context, t tool, from source, label string) error {
	start := time.Now()
	c.logf("%s ...", label)
	dir, err := from.write(filepath.Join(c.cache, "src"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.bin(""), 0o755); err != nil {
		return err
	}
	temp := c.bin(t.name) + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-mod="+from.mode(), "-ldflags="+from.flags(t), "-o", temp, t.pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "PWD="+cmd.Dir)
	endWithChildren(cmd, syscall.SIGINT)
	if err := c.watchBuild(cmd, label, start); err != nil {
		return fmt.Errorf("building %s: %w", t.name, err)
	}
	if err := os.Rename(temp, c.bin(t.name)); err != nil {
		return err
	}
	c.logf("%s done in %s", label, time.Since(start).Round(time.Second))
	return os.WriteFile(c.bin(t.name)+".key", []byte(from.key(t)), 0o644)
}

// watchBuild reports the progress of the build every few seconds. If the build fails, it returns the output of go.
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

// scanBuild counts the package names that `go build -v` prints, and returns all other output.
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
