package app

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// InterruptError is the cause of a context that a signal ended.
type InterruptError struct{ Signal os.Signal }

func (e *InterruptError) Error() string {
	if e.Signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

// ExitCode is 128 and the signal's number, as shells have it.
func (e *InterruptError) ExitCode() int {
	if e.Signal == syscall.SIGTERM {
		return ExitTerminated
	}
	return ExitInterrupt
}

// Interruptible gives a context that the first Ctrl-C or SIGTERM ends, with an InterruptError as its cause. The second
// ends the process at once. stop must be called.
func Interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case received := <-signals:
			signal.Stop(signals)
			cancel(&InterruptError{Signal: received})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		signal.Stop(signals)
		<-done
	}
}
