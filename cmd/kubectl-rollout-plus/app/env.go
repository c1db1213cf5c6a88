package app

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

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

const (
	displayName         = command.Plugin
	defaultFieldManager = fieldmanager.Default
)

// environment is what all commands share.
type environment struct {
	genericiooptions.IOStreams
	// ctx is the command's context, for requests of libraries that take none. It is nil before the command runs.
	ctx context.Context
	// cause returns what ended that context, or the one with the command's own timeout. It is nil before the command runs.
	cause func() error
	// limited is set once the command works within its own timeout.
	limited bool
	shared  sharedFlags
	factory cmdutil.Factory
	flags   *genericclioptions.ConfigFlags
	// given holds the flags that all commands have, with their given values.
	given     *pflag.FlagSet
	lookupEnv func(string) (string, bool)
	color     string
	clock     *serverClock
	// namespace is the namespace of a manifest, or "". It takes precedence over that of the kubeconfig.
	namespace string
	// events is where commands on several objects write their JSON events. It is nil without -o json.
	events io.Writer
	// backlogs are the streams under IOStreams.
	backlogs []*backlog
	// warned holds the warnings that have been printed, so that each is printed once.
	warned map[string]bool
}

// newEnvironment returns what commands share, with streams that write to these backlogs.
func newEnvironment(lookupEnv func(string) (string, bool), streams genericiooptions.IOStreams, backlogs ...*backlog) *environment {
	env := &environment{
		IOStreams: streams, lookupEnv: lookupEnv, clock: newServerClock(), warned: map[string]bool{}, backlogs: backlogs,
		flags:  genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().WithDiscoveryBurst(300).WithDiscoveryQPS(50),
		shared: sharedFlags{warnings: rest.NewWarningWriter(streams.ErrOut, rest.WarningWriterOptions{Deduplicate: true})},
	}
	env.flags.WrapConfigFn = func(config *rest.Config) *rest.Config { return env.configure(config) }
	env.factory = cmdutil.NewFactory(knowing{env.flags})
	return env
}

// addFlags adds the flags that all commands have.
func (env *environment) addFlags(root *cobra.Command) {
	env.flags.AddFlags(root.PersistentFlags())
	env.shared.add(root)
	env.given = root.PersistentFlags()
	root.PersistentFlags().StringVar(&env.color, "color", "auto", `When to colour: "auto" (on a terminal), "always" or "never".`)
}

// begin prepares for the work of a command.
func (env *environment) begin(cmd *cobra.Command) {
	env.ctx = cmd.Context()
	env.cause = func() error { return context.Cause(env.ctx) }
	env.outlive(cmd)
}

func commandName(cmd *cobra.Command) string {
	return strings.Replace(cmd.CommandPath(), cmd.Root().Name(), displayName, 1)
}

// arguments wraps a check of the arguments, so that its errors are usage errors.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError(fmt.Errorf("%w; see '%s --help'", err, commandName(cmd)))
		}
		return nil
	}
}
