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

// readsOnly marks commands that end with their reader, as other programs do. All others go on with their work.
const readsOnly = "rollout-plus/reads-only"

// reading returns the annotations of a command that writes nothing to the cluster.
func reading() map[string]string { return map[string]string{readsOnly: "true"} }

// outlive lets a command that changes the cluster go on when nobody can read what it tells: a rollout that is left in the
// middle is worse than one that nobody reads of. The exit code tells the outcome all the same. Nor does it wait for one who reads too slowly.
func (env *environment) outlive(cmd *cobra.Command) {
	if _, reads := cmd.Annotations[readsOnly]; reads || cmd.HasSubCommands() {
		return
	}
	// While somebody asks for this signal, a broken pipe is an error of the write and does not end the program.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	for _, each := range env.backlogs {
		each.open()
	}
	env.ErrOut = &outlet{Writer: env.ErrOut}
	env.Out = &outlet{Writer: env.Out, lost: func(err error) {
		env.tell("standard output cannot be written any more: %v; the work goes on without it", cause(err))
	}}
}

// cause returns the innermost error, which says why in the words of the operating system.
func cause(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// outlet is a stream that takes everything, whether it can be written or not.
type outlet struct {
	io.Writer
	// lost is called once, with the first error. It may be nil.
	lost func(error)
	mu   sync.Mutex
	gone bool
}

// Write reports success in any case. After the first failure nothing more is written: what follows would lack its beginning.
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

// Unwrap returns what it writes to.
func (o *outlet) Unwrap() io.Writer { return o.Writer }
