package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

const configAttachExample = `  # All keys of the ConfigMap web as variables of deployment web
  kubectl rollout-plus config attach deployment/web --env-from-config web

  # One key as a variable, another as a file
  kubectl rollout-plus config attach statefulset/db \
    --env-from-config-key LEVEL=db:log-level --mount-config db:db.conf=/config/db.conf

  # A Secret's keys as files, in the container agent
  kubectl rollout-plus config attach daemonset/agent -c agent \
    --mount-config secret/tls=/tls`

// rollFlags are those of all commands that roll out workloads because their configuration changes.
type rollFlags struct {
	rolloutFlags
	fieldManager string
	waitFlags
}

func (f *rollFlags) add(cmd *cobra.Command) {
	f.addWithoutTimeout(cmd)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "How long to work on it before leaving it where it stands, with exit code 124; zero means for ever.")
}

func (f *rollFlags) addWithoutTimeout(cmd *cobra.Command) {
	f.rolloutFlags.add(cmd)
	cmd.Flags().StringVar(&f.fieldManager, "field-manager", defaultFieldManager, "Name of the manager used to track field ownership.")
	addLogLines(cmd, &f.logLines)
}

// complete gives the typed values.
func (f *rollFlags) complete() (rollout.StartOptions, error) {
	if err := f.validate(); err != nil {
		return rollout.StartOptions{}, err
	}
	if err := checkFieldManager(f.fieldManager); err != nil {
		return rollout.StartOptions{}, err
	}
	return f.options(rollout.DryRunNone)
}

// roller is what rolls out the workload that an argument names.
func (f *rollFlags) roller(env *environment, argument string) (*roller, rollout.Workload, error) {
	options, err := f.complete()
	if err != nil {
		return nil, nil, err
	}
	workload, err := env.oneWorkload(argument)
	if err != nil {
		return nil, nil, err
	}
	s, err := env.configSession(workload.GetNamespace(), f.fieldManager)
	if err != nil {
		return nil, nil, err
	}
	return &roller{configSession: s, options: options, cause: f.cause, logLines: f.logLines}, workload, nil
}

type configAttachFlags struct {
	rollFlags
	wireFlags
	container string
}

func newConfigAttachCommand(env *environment) *cobra.Command {
	f := &configAttachFlags{}
	cmd := &cobra.Command{
		Use:   "attach TYPE/NAME",
		Short: "Give a workload keys of a ConfigMap or Secret, and roll it out",
		Long: "Give a Deployment, StatefulSet or DaemonSet keys of a ConfigMap or Secret, as\n" +
			"variables or as files, and roll it out: a Deployment step by step.\n\n" +
			"The pod template references a version, an immutable copy of the object as it is\n" +
			"now, so that each revision keeps its configuration.",
		Example:           configAttachExample,
		Args:              arguments(cobra.ExactArgs(1)),
		ValidArgsFunction: env.completeWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	cmd.Flags().StringVarP(&f.container, "container", "c", "", "The container that gets it; the first by default.")
	f.kind.add(cmd)
	f.wireFlags.add(cmd)
	f.rollFlags.add(cmd)
	return cmd
}

func (f *configAttachFlags) run(ctx context.Context, env *environment, args []string) error {
	wires, err := f.wires()
	if err != nil {
		return err
	}
	if len(wires) == 0 {
		return usageError(errNoWire)
	}
	r, workload, err := f.roller(env, args[0])
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx, f.timeout)
	defer cancel()
	contents, err := r.contents(ctx, wires)
	if err != nil {
		return err
	}
	p := &pin{contents: contents}
	return r.pinned(ctx, p, change{workload: workload, rewrite: func(template map[string]any) error {
		if err := configmap.Attach(template, f.container, wires); err != nil {
			return usageError(fmt.Errorf("%s: %w", nameOf(workload), err))
		}
		p.rename(template)
		return nil
	}})
}

// oneWorkload reads the workload that an argument names.
func (env *environment) oneWorkload(argument string) (rollout.Workload, error) {
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

func workloadIn(info *resource.Info) (rollout.Workload, error) {
	if workload, is := info.Object.(rollout.Workload); is && rollout.IsWorkload(info.Object) {
		return workload, nil
	}
	return nil, usageError(fmt.Errorf("%s is no Deployment, StatefulSet or DaemonSet", info.ObjectName()))
}
