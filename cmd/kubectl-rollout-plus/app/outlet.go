package app

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// readsOnly marks commands that end when their output cannot be written, as other programs do. All other commands go on
// with their work.
const readsOnly = "rollout-plus/reads-only"

// reading returns the annotations of a command that writes nothing to the cluster.
func reading() map[string]string { return map[string]string{readsOnly: "true"} }

// outlive lets a command that changes the cluster go on if nobody can read its output. A rollout that stops in the middle
// is worse than one without output, and the exit code still tells the outcome. It also keeps a slow reader from delaying
// the command.
func (env *environment) outlive(cmd *cobra.Command) {
	if _, reads := cmd.Annotations[readsOnly]; reads || cmd.HasSubCommands() {
		return
	}
	// While the program is subscribed to this signal, a broken pipe only makes the write fail. It does not end the program.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	for _, each := range env.backlogs {
		each.open()
	}
	env.ErrOut = &outlet{Writer: env.ErrOut}
	env.Out = &outlet{Writer: env.Out, lost: func(err error) {
		env.tell("standard output cannot be written any more: %v; the work goes on without it", cause(err))
	}}
}

// cause returns the innermost error, which is that of the operating system.
func cause(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// outlet is a stream that accepts all writes, even if its writer fails.
type outlet struct {
	io.Writer
	// lost is called once, with the first error. It may be nil.
	lost func(error)
	mu   sync.Mutex
	gone bool
}

// Write always reports success. After the first failure it writes nothing more, since later text would lack its beginning.
func (o *outlet) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone {
		return len(text), nil
	}
	if _, err := o.Writer.Write(text); err != nil {
		o.gone = true
		if o.lost != nil {
			o.lost(err)
		}
	}
	return len(text), nil
}

// Unwrap returns the stream that the outlet writes to.
func (o *outlet) Unwrap() io.Writer { return o.Writer }
