package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

// InterruptError is the cause of a context that a signal ended.
type InterruptError struct{ Signal os.Signal }

func (e *InterruptError) Error() string {
	switch e.Signal {
	case syscall.SIGTERM:
		return "terminated"
	case syscall.SIGHUP:
		return "hung up"
	}
	return "interrupted"
}

// ExitCode returns 128 plus the signal's number, as shells do.
func (e *InterruptError) ExitCode() int {
	switch e.Signal {
	case syscall.SIGTERM:
		return ExitTerminated
	case syscall.SIGHUP:
		return ExitHangup
	}
	return ExitInterrupt
}

// Interruptible returns a context that the first Ctrl-C, SIGTERM or SIGHUP ends, with an InterruptError as its cause. The
// second Ctrl-C or SIGTERM ends the process at once. A second SIGHUP does not, since closing a terminal may send several. A
// signal stays ignored if the process was started with it ignored, as with nohup. stop must be called.
func Interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	interrupts, hangups := make(chan os.Signal, 1), make(chan os.Signal, 1)
	heed(interrupts, os.Interrupt, syscall.SIGTERM)
	heed(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case received := <-interrupts:
			signal.Stop(interrupts)
			cancel(&InterruptError{Signal: received})
		case received := <-hangups:
			cancel(&InterruptError{Signal: received})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		signal.Stop(interrupts)
		signal.Stop(hangups)
		<-done
	}
}

// heed subscribes to signals, except those that the process was started with as ignored.
func heed(c chan<- os.Signal, signals ...os.Signal) {
	for _, each := range signals {
		if !signal.Ignored(each) {
			signal.Notify(c, each)
		}
	}
}

// namedAtMost is the highest number of objects that the message of an interrupted wait names.
const namedAtMost = 5

// interruptedWait is the error of an interrupt that ended the wait for objects.
type interruptedWait struct {
	interrupt *InterruptError
	objects   []printers.Object
}

func (e *interruptedWait) Unwrap() error { return e.interrupt }

func (e *interruptedWait) Error() string {
	named, more := e.objects, ""
	if rest := len(named) - namedAtMost; rest > 0 {
		named, more = named[:namedAtMost], fmt.Sprintf(" and %d more", rest)
	}
	var names []string
	for _, object := range named {
		names = append(names, object.String())
	}
	return fmt.Sprintf("%s while waiting for %s%s; %s", e.interrupt, strings.Join(names, ", "), more, e.waitsOn())
}

// waitsOn returns the commands that continue to wait for all objects, one for each namespace.
func (e *interruptedWait) waitsOn() string {
	in := map[string]string{}
	for _, object := range e.objects {
		in[object.Namespace] += " " + strings.ToLower(object.Kind) + "/" + object.Name
	}
	var commands []string
	for _, namespace := range slices.Sorted(maps.Keys(in)) {
		commands = append(commands, command.Quoted("%s status%s -n %s", command.Plugin, in[namespace], namespace))
	}
	if len(commands) == 1 {
		return commands[0] + " waits on"
	}
	return strings.Join(commands, " and ") + " wait on"
}

// WaitedFor adds to an interrupt the object that the command waited for. It returns any other error unchanged.
func WaitedFor(err error, object printers.Object) error {
	var interrupt *InterruptError
	if !errors.As(err, &interrupt) {
		return err
	}
	return &interruptedWait{interrupt: interrupt, objects: []printers.Object{object}}
}

// OneInterrupt merges the errors of several waits that one interrupt has ended. The merged error takes the place of the
// first.
type OneInterrupt struct{ first *interruptedWait }

// Joins reports whether it has merged an error into an earlier one.
func (o *OneInterrupt) Joins(err error) bool {
	var wait *interruptedWait
	switch {
	case !errors.As(err, &wait):
		return false
	case o.first == nil:
		o.first = wait
		return false
	}
	o.first.objects = append(o.first.objects, wait.objects...)
	return true
}

// TellEnd has every command below root say that its own timeout or a signal ended its work, if that is why it failed.
func (env *Env) TellEnd(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		env.TellEnd(cmd)
		if run := cmd.RunE; run != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error { return env.endedBy(run(cmd, args)) }
		}
	}
}

// endedBy adds to an error that the command's own timeout or a signal has caused it. Libraries name neither: they only say
// that a context has ended, and not all of them wrap its error. The client's rate limiter says so before the end has come.
func (env *Env) endedBy(err error) error {
	if err == nil || env.cause == nil {
		return err
	}
	var status *Exit
	var uncertain *rollout.UncertainError
	cause, text := env.cause(), err.Error()
	if env.limited && strings.Contains(text, "would exceed context deadline") {
		cause = rollout.ErrTimeout
	}
	switch {
	case cause == nil, errors.Is(cause, context.Canceled), errors.Is(err, cause), errors.As(err, &status), errors.As(err, &uncertain):
		return err
	case strings.Contains(text, "context deadline"), strings.Contains(text, context.Canceled.Error()):
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// CutShort replaces an error that the end of the context has caused by one that says which work was cut short. It returns
// any other error unchanged.
func CutShort(ctx context.Context, err error, work string) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || !errors.Is(err, cause) && !errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w %s", cause, work)
}
