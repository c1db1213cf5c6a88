package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// ConfigEvent prints what happens to configuration.
func (env *Env) ConfigEvent(happened event.Event) {
	switch e := happened.(type) {
	case event.Note:
		if e.Once {
			if env.Warned[e.Text] {
				return
			}
			env.Warned[e.Text] = true
		}
		env.Tell("%s", e.Text)
	case event.Written:
		if events := env.EventsOf(ConfigObject(e.Namespace, e.Object)); events != nil {
			events.Config(env.Clock.Now(), string(e.Change), e.Hash)
		}
	}
}

// ConfigObject names a ConfigMap or Secret in events.
func ConfigObject(namespace string, object configmap.Object) printers.Object {
	return printers.Object{APIVersion: "v1", Kind: string(object.Kind), Namespace: namespace, Name: object.Name}
}

// AddEvents adds -o for commands that write JSON events.
func AddEvents(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "", `Output format: "json" writes one event per line to standard output.`)
}

// Telling returns the environment for the output format of -o. With JSON, standard output gets only events, and text for
// people goes to standard error.
func (env *Env) Telling(output string) (*Env, error) {
	switch {
	case output != "" && output != "json":
		return nil, FlagError("output", output, errOutput)
	case output == "" || env.events != nil:
		return env, nil
	}
	told := *env
	told.Out, told.events = env.ErrOut, env.Out
	return &told, nil
}

var errOutput = errors.New("expected json, or nothing for lines")

// EventsOf returns a writer for the events of an object, or nil if nobody has asked for JSON.
func (env *Env) EventsOf(object printers.Object) *printers.JSON {
	if env.events == nil {
		return nil
	}
	return printers.NewJSON(env.events, object)
}

// Ended emits the last event of an object: with the outcome of err, or with the given outcome if err is nil.
func (env *Env) Ended(object printers.Object, outcome rollout.Outcome, message string, err error) {
	events := env.EventsOf(object)
	if events == nil {
		return
	}
	result := &printers.Result{Result: &rollout.Result{Outcome: outcome}, Message: message}
	if err = env.endedBy(err); err != nil {
		result.Outcome, result.Message, result.ExitCode = outcomeOf(err), err.Error(), CodeOf(err)
	}
	Connecting{events, env.Connection()}.Result(env.Clock.Now(), result)
}

// Unread emits an event for a workload that could not be read, if the argument names one.
func (env *Env) Unread(argument string, err error) {
	if object, unnamed := env.NamedWorkload([]string{argument}); unnamed == nil {
		env.Ended(object, "", "", err)
	}
}
