package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"text/template"
	"time"
)

//go:embed manifests/kwokctl.yaml.tmpl
var kwokctlConfig string

// workdir returns kwokctl's folder. The clusters of a cache folder share it, so that kwokctl gives each its own ports.
func (c *cluster) workdir() string { return filepath.Join(c.cache, "kwok") }

// state returns the folder of this program's own state of the cluster, beside kwokctl's folder.
func (c *cluster) state() string { return filepath.Join(c.cache, "state", c.name) }

func (c *cluster) marker() string { return filepath.Join(c.state(), "complete") }

// exists reports whether anything of the cluster is left, even just a process.
func (c *cluster) exists(ctx context.Context) bool {
	if left, err := c.processes(ctx); err != nil || len(left) > 0 {
		return true
	}
	for _, path := range []string{c.clusterDir(), c.state(), c.kubeconfig()} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// create starts the control plane. Its configuration goes through a file, because only there kwokctl lets one set the address
// that its components listen on.
func (c *cluster) create(ctx context.Context) error {
	if err := os.MkdirAll(c.state(), 0o755); err != nil {
		return err
	}
	var config bytes.Buffer
	err := template.Must(template.New("kwokctl").Parse(kwokctlConfig)).Execute(&config, map[string]string{
		"Bin": filepath.Clean(c.bin("")), "Version": c.kubernetes,
	})
	if err != nil {
		return err
	}
	file := filepath.Join(c.state(), "kwokctl.yaml")
	if err := os.WriteFile(file, config.Bytes(), 0o644); err != nil {
		return err
	}
	return c.kwokctl(ctx, "create", "cluster", "--config", file, "--kubeconfig", c.kubeconfig(), "--wait", "60s")
}

// kwokctl runs kwokctl. PATH leads it to the cluster's own kubectl, since kwokctl looks there first. The components inherit
// GOGC: their heaps are small, and with Go's default they spend an eighth of their processor time on collecting garbage.
func (c *cluster) kwokctl(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, c.bin("kwokctl"), append(args, "--name", c.name)...)
	cmd.Env = append(os.Environ(), "KWOK_WORKDIR="+c.workdir(), "KUBECONFIG="+c.kubeconfig(), "PATH="+c.path(), "GOGC=400")
	return quiet(cmd)
}

func (c *cluster) kubectl(ctx context.Context, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, c.bin("kubectl"), append([]string{"--kubeconfig", c.kubeconfig()}, args...)...)
	cmd.Stdin = stdin
	return quiet(cmd)
}

// path returns PATH with the cluster's programs first.
func (c *cluster) path() string {
	return filepath.Clean(c.bin("")) + string(os.PathListSeparator) + os.Getenv("PATH")
}

// quiet runs a command and returns its output only in an error.
func quiet(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	endWithChildren(cmd, syscall.SIGKILL)
	if err := cmd.Run(); err != nil {
		// The status is printed, not wrapped. It is not the status of a command that the caller asked to run.
		return fmt.Errorf("%s: %v\n%s", filepath.Base(cmd.Path), err, said.Bytes()) //nolint:errorlint // see above
	}
	return nil
}

// endWithChildren makes the end of the command's context also end the processes that the command started. The cluster's
// components are in sessions of their own and keep running.
func endWithChildren(cmd *exec.Cmd, signal syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, signal) }
	cmd.WaitDelay = 10 * time.Second
}
