package cli

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

// ConnectionOf returns the given flags that select the cluster and the user of a command. It never prints secrets among
// them: it replaces passwords and tokens by variables.
func ConnectionOf(flags *pflag.FlagSet) command.Connection {
	var connection command.Connection
	for _, name := range []string{
		"kubeconfig", "context", "cluster", "user", "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority",
		"client-certificate", "client-key", "as", "as-uid", "as-group", "as-user-extra", "username", "password", "token",
	} {
		flag := flags.Lookup(name)
		if flag == nil || !flag.Changed {
			continue
		}
		several, isSeveral := flag.Value.(pflag.SliceValue)
		switch {
		case name == "password":
			connection = connection.WithVariable(name, "PASSWORD")
		case name == "token":
			connection = connection.WithVariable(name, "TOKEN")
		case isSeveral:
			for _, value := range several.GetSlice() {
				connection = connection.With(name, value)
			}
		case flag.NoOptDefVal != "":
			connection = connection.WithSet(name, flag.Value.String())
		default:
			connection = connection.With(name, flag.Value.String())
		}
	}
	return connection
}

// Connection returns the flags to add to every printed command.
func (env *Env) Connection() command.Connection {
	if env.given == nil {
		return command.Connection{}
	}
	return ConnectionOf(env.given)
}

// Tell prints a line for people to standard error. Commands in the line get the flags of the connection.
func (env *Env) Tell(format string, args ...any) {
	_, _ = fmt.Fprintln(env.ErrOut, env.Connection().Text(fmt.Sprintf(format, args...))) // the work goes on if nobody reads this
}

// Connecting is a printer that adds the flags of the connection to printed commands.
type Connecting struct {
	printers.Printer
	Connection command.Connection
}

// Event writes an event.
func (p Connecting) Event(at time.Time, event rollout.Event) {
	switch e := event.(type) {
	case rollout.ProgressEvent:
		e.Message = p.Connection.Text(e.Message)
		event = e
	case rollout.FindingEvent:
		e.Finding = e.Finding.Connected(p.Connection)
		event = e
	}
	p.Printer.Event(at, event)
}

// Result writes the last event.
func (p Connecting) Result(at time.Time, result *printers.Result) {
	told := *result
	told.Title, told.Message = p.Connection.Text(result.Title), p.Connection.Text(result.Message)
	if result.Result != nil && result.Finding != nil {
		inner := *result.Result
		inner.Finding = result.Finding.Connected(p.Connection)
		told.Result = &inner
	}
	p.Printer.Result(at, &told)
}
