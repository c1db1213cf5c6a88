package configuration

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// ErrEmptySave ends an edit whose file was saved empty.
var ErrEmptySave = errors.New("edit cancelled, saved file was empty")

// ConfigChangeHelp is the part of the help that set, edit and apply share.
const ConfigChangeHelp = "First show the changes and the affected workloads, and on a terminal ask for\n" +
	"confirmation. Then write the object and a version, which is an immutable copy,\n" +
	"and roll the affected workloads out to that version, one after another and step\n" +
	"by step.\n\n" +
	"If a rollout fails, its workload goes back. The object and the workloads before\n" +
	"it go back too."

// Change changes an object, and emits the result for programs.
func (f *ChangeFlags) Change(ctx context.Context, env *cli.Env, object configmap.Object, want func(*Changer) error) error {
	namespace, err := env.CurrentNamespace()
	if err != nil {
		return err
	}
	c, err := f.NewChanger(env, namespace)
	if err != nil {
		return err
	}
	ctx, cancel := env.WithTimeout(ctx, f.Timeout)
	defer cancel()
	c.Head = &store.Live{Object: object}
	return c.conclude(c.changeTo(ctx, want))
}

// changeTo reads the object, calls want to set its new content, and makes the change.
func (c *Changer) changeTo(ctx context.Context, want func(*Changer) error) error {
	found, err := c.Reader.Get(ctx, c.Head.Object)
	if err == nil {
		c.Head.State = found
	} else if !apierrors.IsNotFound(err) {
		return err
	}
	if err := c.Head.Changeable(c.Namespace); err != nil {
		return err
	}
	if err := want(c); err != nil {
		return err
	}
	return c.run(ctx)
}

// MustExist returns an error if the object does not exist.
func (c *Changer) MustExist() error {
	if c.Head.State == nil {
		return c.Absent(c.Head.Object)
	}
	return nil
}
