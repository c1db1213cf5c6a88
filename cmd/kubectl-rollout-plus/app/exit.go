package app

import (
	"errors"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// These are the exit codes. Scripts rely on them. They are documented in docs/exit-codes.md and in `help exit-codes`.
const (
	ExitDone       = 0
	ExitError      = 1
	ExitUsage      = 2
	ExitStanding   = 4
	ExitRolledBack = 5
	ExitPaused     = 6
	ExitUnfinished = 7
	ExitTimeout    = 124
	ExitHangup     = 129
	ExitInterrupt  = 130
	ExitTerminated = 143
)

// exitError ends a command with a given exit code. If err is nil, nothing more is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "exit"
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError marks an error as wrong usage. Nothing was written in that case.
func usageError(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: ExitUsage, err: err}
}

func exitCode(err error) int {
	var status *exitError
	var option *plan.OptionError
	var interrupt *InterruptError
	var uncertain *rollout.UncertainError
	switch {
	case errors.As(err, &status):
		return status.code
	case errors.As(err, &option):
		return ExitUsage
	case errors.As(err, &interrupt):
		return interrupt.ExitCode()
	case errors.Is(err, rollout.ErrTimeout):
		return ExitTimeout
	case errors.As(err, &uncertain):
		return ExitStanding
	}
	return ExitError
}

// outcomeCode returns the exit code for the outcome of a rollout. For a command that goes back, "rolled back" is a success.
func outcomeCode(result *rollout.Result, cause error, goesBack bool) int {
	switch result.Outcome {
	case rollout.Done, rollout.Unchanged, rollout.Planned:
		return ExitDone
	case rollout.RolledBack:
		if goesBack {
			return ExitDone
		}
		return ExitRolledBack
	case rollout.Failed, rollout.Overtaken:
		return ExitStanding
	case rollout.Paused:
		return ExitPaused
	case rollout.TimedOut:
		return ExitTimeout
	case rollout.Detached:
		return exitCode(cause)
	case rollout.Deleted, rollout.Errored:
	}
	return ExitError
}

// resultError returns the error of a command that goes back or waits, or nil if it succeeded.
func resultError(object printers.Object, result *rollout.Result, cause error) error {
	if code := outcomeCode(result, cause, true); code != ExitDone {
		return &exitError{code: code, err: errors.New(sentence(object, result))}
	}
	return nil
}

// together joins the errors of work on several objects. It keeps each text once. Its exit code is that of all errors, or 1
// if they differ.
func together(failures []error) error {
	several := utilerrors.NewAggregate(failures)
	if several == nil {
		return nil
	}
	var all []error
	told, code := map[string]bool{}, ExitDone
	var interrupts oneInterrupt
	for _, err := range utilerrors.Flatten(several).Errors() {
		if told[err.Error()] || interrupts.joins(err) {
			continue
		}
		told[err.Error()] = true
		all = append(all, err)
		if this := exitCode(err); code == ExitDone {
			code = this
		} else if code != this {
			code = ExitError
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return &exitError{code: code, err: utilerrors.NewAggregate(all)}
}
