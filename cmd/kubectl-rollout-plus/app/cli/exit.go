package cli

import (
	"errors"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

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

// Exit ends a command with a given exit code. If err is nil, nothing More is printed.
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return "exit"
	}
	return e.Err.Error()
}

func (e *Exit) Unwrap() error { return e.Err }

// UsageError marks an error as wrong usage. Nothing was written in that case.
func UsageError(err error) error {
	if err == nil {
		return nil
	}
	return &Exit{Code: ExitUsage, Err: err}
}

// CodeOf returns the exit code of a command that ends with this error.
func CodeOf(err error) int {
	var status *Exit
	var option *plan.OptionError
	var interrupt *InterruptError
	var uncertain *rollout.UncertainError
	switch {
	case errors.As(err, &status):
		return status.Code
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

// OutcomeCode returns the exit code for the outcome of a rollout. For a command that goes back, "rolled back" is a success.
func OutcomeCode(result *rollout.Result, cause error, goesBack bool) int {
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
		return CodeOf(cause)
	case rollout.Deleted, rollout.Errored:
	}
	return ExitError
}

// ResultError returns the error of a command that goes back or waits, or nil if it succeeded.
func ResultError(object printers.Object, result *rollout.Result, cause error) error {
	if code := OutcomeCode(result, cause, true); code != ExitDone {
		return &Exit{Code: code, Err: errors.New(Sentence(object, result))}
	}
	return nil
}

// Together joins the errors of work on several objects. It keeps each text once. Its exit code is that of all errors, or 1
// if they differ.
func Together(failures []error) error {
	several := utilerrors.NewAggregate(failures)
	if several == nil {
		return nil
	}
	var all []error
	told, code := map[string]bool{}, ExitDone
	var interrupts OneInterrupt
	for _, err := range utilerrors.Flatten(several).Errors() {
		if told[err.Error()] || interrupts.Joins(err) {
			continue
		}
		told[err.Error()] = true
		all = append(all, err)
		if this := CodeOf(err); code == ExitDone {
			code = this
		} else if code != this {
			code = ExitError
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return &Exit{Code: code, Err: utilerrors.NewAggregate(all)}
}

// ErrorText returns the text of an error in kubectl's form (checkErr in its cmd/util). It returns "" if the error has been
// printed already.
func ErrorText(err error) string {
	var status *Exit
	if errors.As(err, &status) {
		if err = status.Err; err == nil {
			return ""
		}
	}
	// As in kubectl, only the error itself counts, not the errors it wraps. A list of one error counts as that error.
	if several, is := err.(utilerrors.Aggregate); is && len(several.Errors()) == 1 { //nolint:errorlint // see above
		err = several.Errors()[0]
	}
	if several, is := err.(utilerrors.Aggregate); is { //nolint:errorlint // see above
		return strings.TrimSuffix(cmdutil.MultipleErrors("", several.Errors()), "\n")
	}
	if clientcmd.IsConfigurationInvalid(err) {
		return badConfiguration(err)
	}
	text, standard := cmdutil.StandardErrorMessage(err)
	if standard {
		return text
	}
	return "error: " + strings.TrimPrefix(err.Error(), "error: ")
}

// badConfiguration describes an invalid kubeconfig in kubectl's words. It adds how to list the contexts if one was not
// found.
func badConfiguration(err error) string {
	text := strings.TrimSuffix(cmdutil.MultilineError("Error in configuration: ", err), "\n")
	if clientcmd.IsContextNotFound(err) {
		text += "; 'kubectl config get-contexts' lists those there are"
	}
	return text
}

// outcomeOf returns the outcome that an error's exit code stands for.
func outcomeOf(err error) rollout.Outcome {
	switch CodeOf(err) {
	case ExitRolledBack:
		return rollout.RolledBack
	case ExitStanding:
		return rollout.Failed
	case ExitPaused:
		return rollout.Paused
	case ExitTimeout:
		return rollout.TimedOut
	case ExitHangup, ExitInterrupt, ExitTerminated:
		return rollout.Detached
	}
	return rollout.Errored
}
