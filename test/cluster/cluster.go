package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// errDown says that the cluster is not up. It is an answer, not a failure.
var errDown = errors.New("the cluster is not up")

// components lists the programs that must all run for the cluster to be up.
func components() []string {
	return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"}
}

type cluster struct {
	options
	progress io.Writer
}

func (c *cluster) logf(format string, args ...any) {
	fmt.Fprintf(c.progress, "cluster %s: %s\n", c.name, fmt.Sprintf(format, args...))
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.cache, c.name+".kubeconfig") }

func (c *cluster) up(ctx context.Context) error {
	_, err := c.ensure(ctx)
	return err
}

// ensure brings the cluster up, and reports whether it had to start it.
func (c *cluster) ensure(ctx context.Context) (started bool, err error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	if err := c.buildMissing(ctx); err != nil {
		return false, err
	}
	if c.healthy(ctx) {
		c.logf("already up; kubeconfig %s", c.kubeconfig())
		return false, nil
	}
	if c.exists(ctx) {
		c.logf("half dead or left behind: recreating it")
		if err := c.remove(ctx); err != nil {
			return false, err
		}
	}
	start := time.Now()
	if err := c.start(ctx); err != nil {
		// Nothing may stay behind, not even after Ctrl-C.
		return false, errors.Join(err, c.remove(context.WithoutCancel(ctx)))
	}
	c.logf("up in %.1fs with %d simulated nodes; kubeconfig %s", time.Since(start).Seconds(), c.nodes, c.kubeconfig())
	return true, nil
}

func (c *cluster) start(ctx context.Context) error {
	c.logf("starting")
	if err := c.create(ctx); err != nil {
		return err
	}
	return c.populate(ctx)
}

func (c *cluster) down(ctx context.Context) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !c.exists(ctx) {
		c.logf("not up")
		return nil
	}
	if err := c.remove(ctx); err != nil {
		return err
	}
	c.logf("down")
	return nil
}

// remove stops every process, makes sure that none is left, and deletes the state.
func (c *cluster) remove(ctx context.Context) error {
	ours, err := c.processes(ctx)
	if err != nil {
		return err
	}
	if err := c.forgetStrangers(ours); err != nil {
		return err
	}
	if err := c.kwokctl(ctx, "delete", "cluster", "--kubeconfig", c.kubeconfig()); err != nil {
		return err
	}
	if err := c.endAll(ctx); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(c.state()), os.RemoveAll(c.kubeconfig()))
}

// healthy reports whether every component runs and the API server reports itself ready.
func (c *cluster) healthy(ctx context.Context) bool {
	all, err := c.processes(ctx)
	if err != nil {
		return false
	}
	up := map[string]bool{}
	for _, p := range all {
		up[p.name] = true
	}
	for _, name := range components() {
		if !up[name] {
			return false
		}
	}
	// The marker is written last, so that a start that was killed half way does not count as a cluster.
	if _, err := os.Stat(c.marker()); err != nil {
		return false
	}
	return c.kubectl(ctx, nil, "get", "--raw", "/readyz", "--request-timeout=5s") == nil
}

func (c *cluster) status(ctx context.Context, stdout io.Writer) error {
	if !c.healthy(ctx) {
		fmt.Fprintf(stdout, "cluster %s: not up\n", c.name)
		return errDown
	}
	all, err := c.processes(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "cluster %s: up\nkubeconfig: %s\nprograms: %s\n", c.name, c.kubeconfig(), c.bin(""))
	for _, p := range all {
		fmt.Fprintf(stdout, "%s: process %d\n", p.name, p.pid)
	}
	return nil
}

func (c *cluster) env(stdout io.Writer) error {
	_, err := fmt.Fprintf(stdout, "export KUBECONFIG=%q\nexport PATH=%q:\"$PATH\"\n", c.kubeconfig(), c.bin(""))
	return err
}

func (c *cluster) build(ctx context.Context, stdout io.Writer) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.buildMissing(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, filepath.Clean(c.bin("")))
	return err
}
