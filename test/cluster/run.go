package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// run brings the cluster up, runs the command with it, and leaves the cluster as it was before. A cluster that was up stays up.
// One that run started is taken down, whether the command succeeds, fails or is interrupted. That prints nothing, so that the
// command's own output comes last.
func (c *cluster) run(ctx context.Context, args []string) (err error) {
	started, err := c.ensure(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(),
		"PATH="+c.path(),
		"KUBECONFIG="+c.kubeconfig(),
		"ROLLOUT_PLUS_E2E_KUBECONFIG="+c.kubeconfig(),
		"ROLLOUT_PLUS_E2E_BIN="+filepath.Clean(c.bin("")),
	)
	if started {
		cmd.Env = append(cmd.Env, "ROLLOUT_PLUS_E2E_DISPOSABLE=true")
		defer func() { err = errors.Join(err, c.takeDown(context.WithoutCancel(ctx))) }()
	}
	// The command gets a chance to end by itself, since a terminal has already sent it the Ctrl-C.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	var exit *exec.ExitError
	if err = cmd.Run(); errors.As(err, &exit) && exit.Exited() {
		return &exitError{exit.ExitCode()}
	}
	return err
}

// exitError is the exit status of run's command. The command has already printed the reason.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

func (c *cluster) takeDown(ctx context.Context) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return c.remove(ctx)
}
