package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/stream"
)

// readsOnly marks commands that end when their output cannot be written, as other programs do. All other commands go on
// with their work.
const readsOnly = "rollout-plus/reads-only"

// Reading returns the annotations of a command that writes nothing to the cluster.
func Reading() map[string]string { return map[string]string{readsOnly: "true"} }

// outlive lets a command that changes the cluster go on if nobody can read its output. A rollout that stops in the middle
// is worse than one without output, and the exit code still tells the outcome. It also keeps a slow reader from delaying
// the command.
func (env *Env) outlive(cmd *cobra.Command) {
	if _, reads := cmd.Annotations[readsOnly]; reads || cmd.HasSubCommands() {
		return
	}
	// While the program is subscribed to this signal, a broken pipe only makes the write fail. It does not end the program.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	for _, each := range env.backlogs {
		each.Open()
	}
	env.ErrOut = &stream.Outlet{Writer: env.ErrOut}
	env.Out = &stream.Outlet{Writer: env.Out, Lost: func(err error) {
		env.Tell("standard output cannot be written any more: %v; the work goes on without it", stream.Cause(err))
	}}
}
