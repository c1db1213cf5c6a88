package app

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

const configSetExample = `  # Another greeting, without the key motd
  kubectl rollout-plus config set web greeting=hi motd-

  # A file, from a script, in two steps
  kubectl rollout-plus config set web --from-file=app.conf --yes --steps 50%

  # A Secret; values are never shown
  kubectl rollout-plus config set secret/login --from-file=token`

const configChangeHelp = "First show the changes and the affected workloads, and on a terminal ask for\n" +
	"confirmation. Then write the object and a version, which is an immutable copy,\n" +
	"and roll the affected workloads out to that version, one after another and step\n" +
	"by step.\n\n" +
	"If a rollout fails, its workload goes back. The object and the workloads before\n" +
	"it go back too."

type configSetFlags struct {
	changeFlags
	kind   kindFlag
	source configSource
}

func newConfigSetCommand(env *environment) *cobra.Command {
	f := &configSetFlags{}
	cmd := &cobra.Command{
		Use:   "set [TYPE/]NAME [KEY=VALUE] [KEY-]",
		Short: "Change keys of a ConfigMap or Secret, and roll out the change",
		Long: "Change keys of a ConfigMap or Secret, and roll out the workloads that the\n" +
			"change affects.\n\n" + configChangeHelp,
		Example: configSetExample,
		Args:    arguments(cobra.MinimumNArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.add(cmd)
	f.source.add(cmd)
	f.add(cmd)
	return cmd
}

func (f *configSetFlags) run(ctx context.Context, env *environment, args []string) error {
	object, err := f.kind.object(args[0])
	if err != nil {
		return usageError(err)
	}
	proposed, err := f.source.proposal(env, object, args[1:])
	if err != nil {
		return usageError(err)
	}
	if proposed == nil {
		return usageError(errors.New("no change is given: use KEY=VALUE, KEY-, --from-file, --from-literal or --from-env-file"))
	}
	return f.change(ctx, env, object, func(c *changer) error {
		if err := c.mustExist(); err != nil {
			return err
		}
		if err := proposed.Check(object, c.head.Content, c.Namespace); err != nil {
			return err
		}
		c.want = c.head.Content.With(proposed.Put, proposed.Removed)
		return usageError(configmap.CheckSize(object, c.want))
	})
}

// change changes an object, and emits the result for programs.
func (f *changeFlags) change(ctx context.Context, env *environment, object configmap.Object, want func(*changer) error) error {
	namespace, err := env.currentNamespace()
	if err != nil {
		return err
	}
	c, err := f.newChanger(env, namespace)
	if err != nil {
		return err
	}
	ctx, cancel := env.withTimeout(ctx, f.timeout)
	defer cancel()
	c.head = &store.Live{Object: object}
	return c.conclude(c.changeTo(ctx, want))
}

// changeTo reads the object, calls want to set its new content, and makes the change.
func (c *changer) changeTo(ctx context.Context, want func(*changer) error) error {
	found, err := c.Reader.Get(ctx, c.head.Object)
	if err == nil {
		c.head.State = found
	} else if !apierrors.IsNotFound(err) {
		return err
	}
	if err := c.head.Changeable(c.Namespace); err != nil {
		return err
	}
	if err := want(c); err != nil {
		return err
	}
	return c.run(ctx)
}

// mustExist returns an error if the object does not exist.
func (c *changer) mustExist() error {
	if c.head.State == nil {
		return c.Absent(c.head.Object)
	}
	return nil
}
