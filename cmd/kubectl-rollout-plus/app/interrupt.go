package app

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

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
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

// ExitCode is 128 and the signal's number, as shells have it.
func (e *InterruptError) ExitCode() int {
	switch e.Signal {
	case syscall.SIGTERM:
		return ExitTerminated
	case syscall.SIGHUP:
		return ExitHangup
	}
	return ExitInterrupt
}

// Interruptible gives a context that the first Ctrl-C, SIGTERM or SIGHUP ends, with an InterruptError as its cause. The second
// Ctrl-C or SIGTERM ends the process at once. A second SIGHUP does not: whoever closes a terminal may send several. A signal
// that the process was started without stays ignored, as with nohup. stop must be called.
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

// heed asks for signals, but not for those that the process was started without.
func heed(c chan<- os.Signal, signals ...os.Signal) {
	for _, each := range signals {
		if !signal.Ignored(each) {
			signal.Notify(c, each)
		}
	}
}

// namedAtMost is how many objects an interrupt names that ended the wait for more.
const namedAtMost = 5

// interruptedWait is an interrupt that ended the wait for objects.
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

// waitsOn returns the commands that wait on for all objects, one for each namespace.
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

// waitedFor adds to an interrupt which object was waited for; any other error stays as it is.
func waitedFor(err error, object printers.Object) error {
	var interrupt *InterruptError
	if !errors.As(err, &interrupt) {
		return err
	}
	return &interruptedWait{interrupt: interrupt, objects: []printers.Object{object}}
}

// oneInterrupt makes one error of several about waits that the same interrupt ended, in the place of the first.
type oneInterrupt struct{ first *interruptedWait }

// joins tells whether an error is told together with an earlier one.
func (o *oneInterrupt) joins(err error) bool {
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

// cutShort says of an object that the end of the context came in the middle of work on it, where that is why it failed.
func cutShort(ctx context.Context, err error, work string) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || !errors.Is(err, cause) && !errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w %s", cause, work)
}
