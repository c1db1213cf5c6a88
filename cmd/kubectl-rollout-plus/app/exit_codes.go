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
         have begun where the API server did not answer
    5    failed and rolled back: the old version is complete again
    6    waiting at a pause: somebody paused the Deployment
    7    not finished: for 'status --watch=false --exit-code' alone
  124    the command's own --timeout passed; the rollout stands still
  129    hung up (SIGHUP, as of a closed terminal): the rollout stands still
  130    interrupted (Ctrl-C): the rollout stands still
  143    terminated (SIGTERM): the rollout stands still

A rollout that stands still goes on with resume and goes back with abort, from
any machine.

'explain' and 'check' end with 4 where something stands in the way. Where
'config watch' is interrupted between rollouts, the code is 0.

Only diff has codes of its own, as kubectl diff: 0 where nothing differs, 1
where something does, 2 with an error.
`,
	}
}
