package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func addEvents(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "", `Output format: "json" writes one event per line to standard output.`)
}

// telling returns the environment for the output format of -o. With JSON, standard output gets only events, and text for
// people goes to standard error.
func (env *environment) telling(output string) (*environment, error) {
	switch {
	case output != "" && output != "json":
		return nil, flagError("output", output, errOutput)
	case output == "" || env.events != nil:
		return env, nil
	}
	told := *env
	told.Out, told.events = env.ErrOut, env.Out
	return &told, nil
}

var errOutput = errors.New("expected json, or nothing for lines")

// eventsOf returns a writer for the events of an object, or nil if nobody has asked for JSON.
func (env *environment) eventsOf(object printers.Object) *printers.JSON {
	if env.events == nil {
		return nil
	}
	return printers.NewJSON(env.events, object)
}

// printer returns the printer for the rollout of one of several workloads.
func (r *roller) printer(c change) (printers.Printer, error) {
	object := objectOf(c.workload)
	switch events := r.env.eventsOf(object); {
	case events != nil && c.back:
		events.Event(r.env.clock.Now(), rollout.RollbackEvent{Revision: workload.RevisionOf(c.workload)})
		return connecting{wayBackEvents{events}, r.env.connection()}, nil
	case events != nil:
		return connecting{events, r.env.connection()}, nil
	}
	return r.env.printer("", object)
}

// wayBackEvents writes the events of a rollout that brings an old version back.
type wayBackEvents struct{ *printers.JSON }

// Result writes the last event. It reports a successful rollout as rolled back.
func (p wayBackEvents) Result(at time.Time, result *printers.Result) {
	if result.Outcome == rollout.Done || result.Outcome == rollout.Unchanged {
		told, back := *result, *result.Result
		told.Result, back.Outcome = &back, rollout.RolledBack
		result = &told
	}
	p.JSON.Result(at, result)
}

// ended emits the last event of an object: with the outcome of err, or with the given outcome if err is nil.
func (env *environment) ended(object printers.Object, outcome rollout.Outcome, message string, err error) {
	events := env.eventsOf(object)
	if events == nil {
		return
	}
	result := &printers.Result{Result: &rollout.Result{Outcome: outcome}, Message: message}
	if err = env.endedBy(err); err != nil {
		result.Outcome, result.Message, result.ExitCode = outcomeOf(err), err.Error(), exitCode(err)
	}
	connecting{events, env.connection()}.Result(env.clock.Now(), result)
}

// outcomeOf returns the outcome that an error's exit code stands for.
func outcomeOf(err error) rollout.Outcome {
	switch exitCode(err) {
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

// done reports the result of a workload that was not rolled out in steps.
func (r *roller) done(c change, outcome rollout.Outcome, text string) {
	text = resultName(c.workload) + " " + text
	_, _ = fmt.Fprintln(r.env.Out, text)
	if c.back {
		outcome = rollout.RolledBack
	}
	r.told = true
	r.env.ended(objectOf(c.workload), outcome, text, nil)
}

// concluded emits an event for an error that kept a workload from being rolled out. It returns the error.
func (r *roller) concluded(workload workload.Object, err error) error {
	if err != nil && !r.told {
		r.env.ended(objectOf(workload), "", "", err)
	}
	return err
}

// unread emits an event for a workload that could not be read, if the argument names one.
func (env *environment) unread(argument string, err error) {
	if object, unnamed := env.namedWorkload([]string{argument}); unnamed == nil {
		env.ended(object, "", "", err)
	}
}

// conclude emits the last event for the change of an object.
func (c *changer) conclude(err error) error {
	outcome, told := c.outcome, err
	switch {
	case c.untold:
		return err
	case errors.Is(err, errEmptySave):
		outcome, told = rollout.Unchanged, nil
	case outcome == "":
		outcome = rollout.Done
	}
	text := c.ending
	if text == "" {
		text = fmt.Sprintf("%s rolled out%s", c.head.Object, c.suffix)
	}
	c.env.ended(configObject(c.Namespace, c.head.Object), outcome, text, told)
	return err
}
