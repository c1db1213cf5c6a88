package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running component of the cluster.
type process struct {
	name string
	pid  int
}

// clusterDir returns kwokctl's folder for this cluster.
func (c *cluster) clusterDir() string { return filepath.Join(c.workdir(), "clusters", c.name) }

// processes finds the components by the path that they were started with, which belongs to the cluster alone. Unlike a pid
// file, this never forgets a process, and never takes a foreign process with a reused id for ours.
func (c *cluster) processes(ctx context.Context) ([]process, error) {
	list, err := exec.CommandContext(ctx, "ps", "-A", "-ww", "-o", "pid=,stat=,args=").Output()
	if errors.Is(err, exec.ErrNotFound) {
		list, err = procList()
	}
	if err != nil {
		return nil, fmt.Errorf("listing the processes: %w", err)
	}
	return parseProcesses(string(list), filepath.Join(c.clusterDir(), "bin")+string(filepath.Separator)), nil
}

// parseProcesses parses lines of process id, state and command line.
func parseProcesses(list, prefix string) []process {
	var found []process
	for line := range strings.Lines(list) {
		pid, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		state, args, _ := strings.Cut(strings.TrimSpace(rest), " ")
		path, ours := strings.CutPrefix(strings.TrimSpace(args), prefix)
		id, err := strconv.Atoi(pid)
		if err != nil || !ours || strings.HasPrefix(state, "Z") {
			continue
		}
		name, _, _ := strings.Cut(path, " ")
		found = append(found, process{name, id})
	}
	return found
}

// procList replaces ps on Linux machines without it.
func procList() ([]byte, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	var list []byte
	for _, file := range files {
		args, err := os.ReadFile(file)
		if err != nil {
			continue // the process has ended meanwhile
		}
		pid := filepath.Base(filepath.Dir(file))
		list = fmt.Appendf(list, "%s - %s\n", pid, strings.ReplaceAll(string(args), "\x00", " "))
	}
	return list, err
}

// forgetStrangers removes the pid files that name none of our components, because kwokctl kills whatever process has the id.
func (c *cluster) forgetStrangers(ours []process) error {
	files, err := filepath.Glob(filepath.Join(c.clusterDir(), "pids", "*.pid"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err == nil && slices.ContainsFunc(ours, func(p process) bool { return p.pid == pid }) {
			continue
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// endAll kills the remaining processes of the cluster and waits until they are gone. kwokctl does not wait.
func (c *cluster) endAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := c.processes(ctx)
		if err != nil || len(left) == 0 {
			return err
		}
		for _, p := range left {
			if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("ending %s (process %d): %w", p.name, p.pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s (process %d) does not end", left[0].name, left[0].pid)
		case <-tick.C:
		}
	}
}
