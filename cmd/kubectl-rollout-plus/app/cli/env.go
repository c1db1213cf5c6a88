// Package cli holds what all commands share: streams, flags, selection of objects, exit codes and words.
package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // the credentials of cloud providers in kubeconfig files
	"k8s.io/client-go/rest"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/apiserver"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/stream"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

const (
	// DisplayName is how people call this program.
	DisplayName = command.Plugin
	// DefaultFieldManager is the field manager of commands without --field-manager.
	DefaultFieldManager = fieldmanager.Default
)

// Env is what all commands share.
type Env struct {
	genericiooptions.IOStreams
	// ctx is the command's context, for requests of libraries that take none. It is nil before the command runs.
	ctx context.Context
	// cause returns what ended that context, or the one with the command's own timeout. It is nil before the command runs.
	cause func() error
	// limited is set once the command works within its own timeout.
	limited bool
	Shared  sharedFlags
	Factory cmdutil.Factory
	flags   *genericclioptions.ConfigFlags
	// given holds the flags that all commands have, with their given values.
	given     *pflag.FlagSet
	LookupEnv func(string) (string, bool)
	color     string
	Clock     *apiserver.Clock
	// namespace is the namespace of a manifest, or "". It takes precedence over that of the kubeconfig.
	namespace string
	// events is where commands on several objects write their JSON events. It is nil without -o json.
	events io.Writer
	// backlogs are the streams under IOStreams.
	backlogs []*stream.Backlog
	// Warned holds the warnings that have been printed, so that each is printed once.
	Warned map[string]bool
}

// NewEnvironment returns what commands share, with streams that write to these backlogs.
func NewEnvironment(lookupEnv func(string) (string, bool), streams genericiooptions.IOStreams, backlogs ...*stream.Backlog) *Env {
	env := &Env{
		IOStreams: streams, LookupEnv: lookupEnv, Clock: apiserver.NewClock(), Warned: map[string]bool{}, backlogs: backlogs,
		flags:  genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().WithDiscoveryBurst(300).WithDiscoveryQPS(50),
		Shared: sharedFlags{warnings: rest.NewWarningWriter(streams.ErrOut, rest.WarningWriterOptions{Deduplicate: true})},
	}
	env.flags.WrapConfigFn = func(config *rest.Config) *rest.Config { return env.configure(config) }
	env.Factory = cmdutil.NewFactory(knowing{env.flags})
	return env
}

// AddFlags adds the flags that all commands have.
func (env *Env) AddFlags(root *cobra.Command) {
	env.flags.AddFlags(root.PersistentFlags())
	env.Shared.add(root)
	env.given = root.PersistentFlags()
	root.PersistentFlags().StringVar(&env.color, "color", "auto", `When to colour: "auto" (on a terminal), "always" or "never".`)
}

// Begin prepares for the work of a command.
func (env *Env) Begin(cmd *cobra.Command) {
	env.ctx = cmd.Context()
	env.cause = func() error { return context.Cause(env.ctx) }
	env.outlive(cmd)
}

// CommandName returns the words that run a command, as people type them.
func CommandName(cmd *cobra.Command) string {
	return strings.Replace(cmd.CommandPath(), cmd.Root().Name(), DisplayName, 1)
}

// Arguments wraps a check of the arguments, so that its errors are usage errors.
func Arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return UsageError(fmt.Errorf("%w; see '%s --help'", err, CommandName(cmd)))
		}
		return nil
	}
}
