package configuration

import (
	"errors"
	"fmt"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// printer returns the printer for the rollout of one of several workloads.
func (r *Roller) printer(c Change) (printers.Printer, error) {
	object := cli.ObjectOf(c.Workload)
	switch events := r.Env.EventsOf(object); {
	case events != nil && c.back:
		events.Event(r.Env.Clock.Now(), rollout.RollbackEvent{Revision: workload.RevisionOf(c.Workload)})
		return cli.Connecting{Printer: wayBackEvents{events}, Connection: r.Env.Connection()}, nil
	case events != nil:
		return cli.Connecting{Printer: events, Connection: r.Env.Connection()}, nil
	}
	return r.Env.Printer("", object)
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

// done reports the result of a workload that was not rolled out in steps.
func (r *Roller) done(c Change, outcome rollout.Outcome, text string) {
	text = cli.ResultName(c.Workload) + " " + text
	_, _ = fmt.Fprintln(r.Env.Out, text)
	if c.back {
		outcome = rollout.RolledBack
	}
	r.told = true
	r.Env.Ended(cli.ObjectOf(c.Workload), outcome, text, nil)
}

// Concluded emits an event for an error that kept a workload from being rolled out. It returns the error.
func (r *Roller) Concluded(workload workload.Object, err error) error {
	if err != nil && !r.told {
		r.Env.Ended(cli.ObjectOf(workload), "", "", err)
	}
	return err
}

// conclude emits the last event for the change of an object.
func (c *Changer) conclude(err error) error {
	outcome, told := c.outcome, err
	switch {
	case c.untold:
		return err
	case errors.Is(err, ErrEmptySave):
		outcome, told = rollout.Unchanged, nil
	case outcome == "":
		outcome = rollout.Done
	}
	text := c.ending
	if text == "" {
		text = fmt.Sprintf("%s rolled out%s", c.Head.Object, c.suffix)
	}
	c.Env.Ended(cli.ConfigObject(c.Namespace, c.Head.Object), outcome, text, told)
	return err
}
