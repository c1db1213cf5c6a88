package configuration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

// ask asks for confirmation on a terminal. Without a terminal it fails unless --yes is given.
func (c *Changer) ask(ctx context.Context) error {
	if c.flags.Yes {
		return nil
	}
	file, is := c.Env.In.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return cli.UsageError(errors.New("nothing was written: standard input is no terminal to ask on; give --yes"))
	}
	_, _ = fmt.Fprintf(c.Env.ErrOut, "%s [y/N] ", c.question())
	answer := answerOn(ctx, file)
	if cause := context.Cause(ctx); cause != nil {
		_, _ = fmt.Fprintln(c.Env.ErrOut)
		return fmt.Errorf("nothing was written: %w", cause)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return &cli.Exit{Code: cli.ExitError, Err: errors.New("nothing was written")}
}

// answerOn reads a line from a terminal. It returns "", which means no, if the context ends first. On systems that cannot
// interrupt the read, the second Ctrl-C ends the program instead.
func answerOn(ctx context.Context, terminal *os.File) string {
	// It opens the terminal anew, since a read from the inherited standard input cannot be interrupted.
	if own, err := os.Open(terminal.Name()); err == nil {
		defer func() { _ = own.Close() }() // nothing is written to it
		terminal = own
	}
	stop := context.AfterFunc(ctx, func() {
		_ = terminal.SetReadDeadline(time.Unix(1, 0)) // a time in the past, so that the read ends at once
	})
	defer stop()
	answer, _ := bufio.NewReader(terminal).ReadString('\n')
	return answer
}

func (c *Changer) question() string {
	switch {
	case c.flags.noRestart || len(c.out) == 0:
		return fmt.Sprintf("Write %s and roll out nothing?", c.Head.Object)
	case len(c.out) == 1:
		return fmt.Sprintf("Write %s and roll out %s?", c.Head.Object, cli.NameOf(c.out[0].workload))
	}
	return fmt.Sprintf("Write %s and roll out %d workloads, one after another?", c.Head.Object, len(c.out))
}
