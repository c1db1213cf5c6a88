package app

import "github.com/spf13/cobra"

// newExitCodesTopic returns a help topic: `kubectl rollout-plus help exit-codes`.
func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:         "exit-codes",
		Annotations: reading(),
		Short:       "What the exit codes mean",
		Long: `The exit codes of kubectl rollout-plus:

    0    done: the wanted version is complete, or there was nothing to do
    1    error: the command could not do its work; nothing was begun
    2    usage: a flag or an argument is wrong; nothing was written
    4    failed and left standing: the rollout stands still at its step, or may
         have begun although the API server did not answer
    5    failed and rolled back: the old version is complete again
    6    waiting at a pause: somebody paused the Deployment
    7    not finished: for 'status --watch=false --exit-code' alone
  124    the command's own --timeout passed; the rollout stands still
  129    hung up (SIGHUP, as of a closed terminal): the rollout stands still
  130    interrupted (Ctrl-C): the rollout stands still
  143    terminated (SIGTERM): the rollout stands still

resume continues a rollout that stands still, and abort goes back, from any
machine.

'explain' and 'check' end with 4 if something stands in the way. 'config watch'
ends with 0 if it is interrupted between rollouts.

Only diff has its own codes, as kubectl diff does: 0 if nothing differs, 1 if
something does, 2 for an error.
`,
	}
}
