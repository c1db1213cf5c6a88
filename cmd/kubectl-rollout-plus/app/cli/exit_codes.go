package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// ExitCode is an exit code as the help topic and docs/exit-codes.md describe it.
type ExitCode struct {
	Code int
	// Name is a word or two for the code, and Meaning says what has happened then.
	Name, Meaning string
	// Next says what the user can do, or is empty if there is nothing to do.
	Next string
}

// ExitCodes returns all exit codes with their meaning, in order.
func ExitCodes() []ExitCode {
	const stands, proceed = "the rollout stands still at its step", "`resume` or `abort`"
	return []ExitCode{
		{ExitDone, "done", "the wanted version is complete, or there was nothing to do", ""},
		{ExitError, "error", "the command could not do its work; nothing was begun", "read the message"},
		{ExitUsage, "usage", "a flag or an argument is wrong; nothing was written", "correct the command"},
		{ExitStanding, "failed and left standing", stands + ", or may have begun although the API server did not answer", "`explain`, then " + proceed},
		{ExitRolledBack, "failed and rolled back", "the old version is complete again", "correct the new version"},
		{ExitPaused, "waiting at a pause", "somebody paused the Deployment, or holds the rollout", "`resume`"},
		{ExitUnfinished, "not finished", "`status --watch=false --exit-code` saw a rollout under way", "look again later"},
		{ExitTimeout, "timed out", "the command's own `--timeout` passed; " + stands, proceed},
		{ExitHangup, "hung up", "SIGHUP, as of a closed terminal; " + stands, proceed},
		{ExitInterrupt, "interrupted", "Ctrl-C; " + stands, proceed},
		{ExitTerminated, "terminated", "SIGTERM; " + stands, proceed},
	}
}

// OutcomeCodes returns the exit codes that a command may end with for an outcome. goesBack says that it is a command such as
// abort, for which going back is a success.
func OutcomeCodes(outcome rollout.Outcome, goesBack bool) []int {
	switch outcome {
	case rollout.Detached:
		return []int{ExitHangup, ExitInterrupt, ExitTerminated}
	case rollout.Errored:
		return []int{ExitError, ExitUsage}
	}
	return []int{OutcomeCode(&rollout.Result{Outcome: outcome}, nil, goesBack)}
}

// NewExitCodesTopic returns a help topic: `kubectl rollout-plus help exit-codes`.
func NewExitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:         "exit-codes",
		Annotations: Reading(),
		Short:       "What the exit codes mean",
		Long: "The exit codes of kubectl rollout-plus:\n\n" + exitCodeLines() + `
resume continues a rollout that stands still, and abort goes back, from any
machine.

'explain' and 'check' end with 4 if something stands in the way. 'config watch'
ends with 0 if it is interrupted between rollouts.

Only diff has its own codes, as kubectl diff does: 0 if nothing differs, 1 if
something does, 2 for an error.
`,
	}
}

// exitCodeLines returns the list of the help topic, in lines of at most 80 characters.
func exitCodeLines() string {
	const width, indent = 80, "         "
	var b strings.Builder
	for _, c := range ExitCodes() {
		line := fmt.Sprintf("%5d    %s:", c.Code, c.Name)
		for _, word := range strings.Fields(strings.ReplaceAll(c.Meaning, "`", "'")) {
			if len(line)+1+len(word) > width {
				b.WriteString(line + "\n")
				line = indent[1:]
			}
			line += " " + word
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
