package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const configAttachExample = `  # All keys of the ConfigMap web as variables of deployment web
  kubectl rollout-plus config attach deployment/web --env-from-config web

  # One key as a variable, another as a file
  kubectl rollout-plus config attach statefulset/db \
    --env-from-config-key LEVEL=db:log-level \
    --mount-config db:db.conf=/config/db.conf

  # A Secret's keys as files, in the container agent
  kubectl rollout-plus config attach daemonset/agent -c agent \
    --mount-config secret/tls=/tls

  # One key as an argument
  kubectl rollout-plus config attach deployment/web \
    --env-from-config-key COLOR=web:color -- --color '$(COLOR)'`

// rollFlags are the flags of all commands that roll out workloads because their configuration changes.
type rollFlags struct {
	rolloutFlags
	fieldManager string
	waitFlags
	skipChecks bool
	output     string
	// dryRunFlag returns the value of --dry-run. It is nil for commands without that flag.
	dryRunFlag func() (rollout.DryRun, string, error)
}

func (f *rollFlags) add(cmd *cobra.Command) {
	f.addWithoutTimeout(cmd)
	cmdutil.AddDryRunFlag(cmd)
	f.dryRunFlag = func() (rollout.DryRun, string, error) { return dryRunOf(cmd) }
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "How long to work before leaving the rollout where it stands, with exit code 124; zero means no limit.")
}

func (f *rollFlags) addWithoutTimeout(cmd *cobra.Command) {
	f.rolloutFlags.add(cmd)
	cmd.Flags().StringVar(&f.fieldManager, "field-manager", defaultFieldManager, "Name of the manager used to track field ownership.")
	f.addJudging(cmd)
	addWaitTerminated(cmd, &f.waitTerminated)
	addSkipChecks(cmd, &f.skipChecks)
	addEvents(cmd, &f.output)
}

// complete returns a roller with the checked values of the flags. The roller has no namespace until connect sets one.
func (f *rollFlags) complete() (*roller, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	if err := checkFieldManager(f.fieldManager); err != nil {
		return nil, err
	}
	r, dryRun := &roller{cause: f.cause, waits: waitFlags{logLines: f.logLines, patience: f.patience, waitTerminated: f.waitTerminated}}, rollout.DryRunNone
	var err error
	if f.dryRunFlag != nil {
		if dryRun, r.suffix, err = f.dryRunFlag(); err != nil {
			return nil, err
		}
	}
	r.options, err = f.options(dryRun)
	r.options.SkipChecks = f.skipChecks
	return r, err
}

// connect gives a roller its session in a namespace.
func (f *rollFlags) connect(env *environment, r *roller, namespace string) error {
	env, err := env.telling(f.output)
	if err != nil {
		return err
	}
	s, err := newSession(env, namespace, f.fieldManager)
	if err == nil {
		r.configSession, s.Versions.Foresees = s, r.options.DryRun == rollout.DryRunClient
	}
	return err
}

// roller returns a connected roller and the workload that an argument names.
func (f *rollFlags) roller(env *environment, argument string) (*roller, workload.Object, error) {
	r, err := f.complete()
	if err != nil {
		return nil, nil, err
	}
	if env, err = env.telling(f.output); err != nil {
		return nil, nil, err
	}
	workload, err := env.oneWorkload(argument)
	if err != nil {
		env.unread(argument, err)
		return nil, nil, err
	}
	return r, workload, f.connect(env, r, workload.GetNamespace())
}

type configAttachFlags struct {
	rollFlags
	wireFlags
	modeFlags
	container string
	arguments []string
}

func newConfigAttachCommand(env *environment) *cobra.Command {
	f := &configAttachFlags{}
	cmd := &cobra.Command{
		Use:   "attach TYPE/NAME [-- ARGUMENT...]",
		Short: "Give a workload keys of a ConfigMap or Secret, and roll it out",
		Long: "Give a Deployment, StatefulSet or DaemonSet keys of a ConfigMap or Secret, as\n" +
			"variables or as files, and roll it out step by step. Words after -- are added\n" +
			"to the container's arguments; $(VAR) in them is a variable.\n\n" +
			"The pod template references a version: an immutable copy of the object as it is\n" +
			"now. So each revision keeps its configuration. If another tool applies the\n" +
			"manifest, existing references keep their plain names.",
		Example:           configAttachExample,
		ValidArgsFunction: env.completeWorkload(),
		Args: arguments(func(cmd *cobra.Command, args []string) error {
			args, _ = atDash(cmd, args)
			return cobra.ExactArgs(1)(cmd, args)
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			args, f.arguments = atDash(cmd, args)
			return f.run(cmd.Context(), env, args)
		},
	}
	cmd.Flags().StringVarP(&f.container, "container", "c", "", "The container to give the keys to; the first by default.")
	f.kind.add(cmd)
	f.wireFlags.add(cmd)
	f.addMode(cmd)
	f.rollFlags.add(cmd)
	return cmd
}

// atDash splits the arguments at --: the first are the command's own, the rest are a container's.
func atDash(cmd *cobra.Command, args []string) (own, containers []string) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}

func (f *configAttachFlags) run(ctx context.Context, env *environment, args []string) error {
	wires, err := f.wires()
	if err != nil {
		return err
	}
	if len(wires) == 0 {
		return usageError(errNoWire)
	}
	if err := f.checkMode(); err != nil {
		return err
	}
	r, workload, err := f.roller(env, args[0])
	if err != nil {
		return err
	}
	ctx, cancel := env.withTimeout(ctx, f.timeout)
	defer cancel()
	return r.concluded(workload, f.attach(ctx, r, workload, wires))
}

func (f *configAttachFlags) attach(ctx context.Context, r *roller, workload workload.Object, wires []attach.Wire) error {
	contents, err := r.WireContents(ctx, wires)
	if err != nil {
		return err
	}
	p, keeps := &attach.Pin{Contents: contents}, f.keeps(workload, slices.Collect(maps.Keys(contents)), r.Engine.FieldManager)
	for _, text := range keeps.Lines(nameOf(workload), configmap.Object{}) {
		r.tell("%s", text)
	}
	return r.pinned(ctx, p, change{workload: workload, rewrite: func(template map[string]any) error {
		err := attach.Add(template, f.container, wires)
		if err == nil {
			err = attach.AddArguments(template, f.container, f.arguments)
		}
		if err != nil {
			return usageError(fmt.Errorf("%s: %w", nameOf(workload), err))
		}
		p.Put(template, keeps)
		return nil
	}})
}

// oneWorkload reads the one workload that an argument names.
func (env *environment) oneWorkload(argument string) (workload.Object, error) {
	found, err := (&selection{}).find(env, []string{argument})
	if err != nil {
		return nil, err
	}
	infos, err := found.Infos()
	if err != nil {
		return nil, err
	}
	if len(infos) != 1 {
		return nil, usageError(errors.New("name one workload, as in deployment/NAME"))
	}
	return workloadIn(infos[0])
}

func workloadIn(info *resource.Info) (workload.Object, error) {
	if w, is := info.Object.(workload.Object); is && workload.Is(info.Object) {
		return w, nil
	}
	return nil, usageError(fmt.Errorf("%s in namespace %q is no Deployment, StatefulSet or DaemonSet; name one", info.ObjectName(), info.Namespace))
}
