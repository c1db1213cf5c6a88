package cli

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// WaitFlags are the flags of all commands that wait for a rollout. The context enforces the timeout; the field here is only
// for messages.
type WaitFlags struct {
	Timeout  time.Duration
	LogLines int64
	Patience time.Duration
	// WaitTerminated makes success wait for the end of the old pods, too.
	WaitTerminated bool
	// Leaves is true if a failed workload is rolled back.
	Leaves bool
}

// AddWaitTerminated adds --wait-terminated.
func AddWaitTerminated(cmd *cobra.Command, wait *bool) {
	cmd.Flags().BoolVar(wait, "wait-terminated", false, "Also wait until the old pods have ended.")
}

// Validate returns an error for the first negative value.
func (f WaitFlags) Validate() error {
	if f.Timeout < 0 {
		return FlagError("timeout", f.Timeout.String(), ErrNegative)
	}
	if f.Patience < 0 {
		return FlagError("patience", f.Patience.String(), ErrNegative)
	}
	return CheckLogLines(f.LogLines)
}

// AddJudging adds the flags of all commands that judge pods.
func (f *WaitFlags) AddJudging(cmd *cobra.Command) {
	AddLogLines(cmd, &f.LogLines)
	f.AddPatience(cmd)
}

// AddTimeout adds the --timeout of commands that drive rollouts.
func (f *WaitFlags) AddTimeout(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.Timeout, "timeout", 0, "End with exit code 124 after this time, and leave the rollout as it is. Zero means no limit.")
}

// AddPatience adds --patience.
func (f *WaitFlags) AddPatience(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.Patience, "patience", 0,
		"The least time to give pods that fail before they are ready, such as 2m while a database starts.")
}

// Tune applies the flags for judging pods to an engine.
func (f *WaitFlags) Tune(engine *rollout.Engine) {
	engine.LogLines, engine.Patience, engine.WaitTerminated = f.LogLines, f.Patience, f.WaitTerminated
}

// AddLogLines adds --log-lines.
func AddLogLines(cmd *cobra.Command, lines *int64) {
	cmd.Flags().Int64Var(lines, "log-lines", rollout.LogLines, "How many of the last log lines of a failed container to show.")
}

// CheckLogLines returns an error for a negative number of lines.
func CheckLogLines(lines int64) error {
	if lines < 0 {
		return FlagError("log-lines", strconv.FormatInt(lines, 10), ErrNegative)
	}
	return nil
}
