package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// staleFlags make restart roll out those whose pods do not run with what a ConfigMap or Secret holds now.
type staleFlags struct {
	config string
	kind   kindFlag
	stale  bool
	changeFlags
}

func (f *staleFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "Restart those whose pods do not run with what this ConfigMap, or secret/NAME, holds now.")
	flags.BoolVar(&f.kind.secret, "secret", false, "With --config: the name is that of a Secret.")
	flags.BoolVar(&f.stale, "stale", false, "The same for every ConfigMap and Secret that has versions.")
	f.addMode(cmd)
}

func (f *staleFlags) given() bool { return f.config != "" || f.stale }

// checkStale refuses flags that do not go together.
func (f *staleFlags) checkStale(args []string) error {
	switch {
	case !f.given() && (f.keepLive || f.inPlace || f.pin):
		return usageError(errors.New("--keep-live, --in-place and --pin go with --config or --stale"))
	case f.kind.secret && f.config == "":
		return usageError(errors.New("--secret goes with --config"))
	case f.given() && len(args) > 0:
		return usageError(errors.New("--config and --stale find the workloads themselves; name none"))
	case f.config != "" && f.stale:
		return usageError(errors.New("--config and --stale exclude each other; give one of them"))
	}
	return nil
}

// restartStale rolls out whoever does not run with the present content, and nobody else.
func (f *restartFlags) restartStale(ctx context.Context, env *environment) error {
	s := &f.staleFlags
	s.rollFlags, s.yes = rollFlags{rolloutFlags: f.rolloutFlags, fieldManager: f.fieldManager, waitFlags: f.waitFlags}, true
	session, err := env.currentSession()
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx, f.timeout)
	defer cancel()
	heads, err := s.heads(ctx, session)
	if err != nil {
		return err
	}
	contents := map[configmap.Object]*configmap.Content{}
	for _, object := range heads {
		found, err := session.existing(ctx, object)
		if err != nil {
			return err
		}
		contents[object] = found.content
	}
	for _, object := range heads {
		if err := s.restartFor(ctx, env, session.namespace, object, contents); err != nil {
			return err
		}
	}
	return nil
}

// heads are the objects whose users are looked at.
func (f *staleFlags) heads(ctx context.Context, s *configSession) ([]configmap.Object, error) {
	if f.config != "" {
		object, err := f.kind.object(f.config)
		if err != nil {
			return nil, flagError("config", f.config, err)
		}
		return []configmap.Object{object}, nil
	}
	r := &restoration{configSession: s}
	if _, err := r.lookUp(ctx); err != nil {
		return nil, err
	}
	var heads []configmap.Object
	for head := range r.heads {
		if _, err := s.reader.get(ctx, head); err == nil {
			heads = append(heads, head)
		} else {
			_, _ = fmt.Fprintf(s.env.ErrOut, "warning: %s is passed over: %v\n", head, err)
		}
	}
	slices.SortFunc(heads, configmap.Object.Compare)
	return heads, nil
}

// restartFor rolls out those who do not run with what one object holds. They take what the others hold along, so that
// nobody is rolled out twice.
func (f *staleFlags) restartFor(ctx context.Context, env *environment, namespace string, object configmap.Object,
	contents map[configmap.Object]*configmap.Content,
) error {
	c, err := f.newChanger(env, namespace)
	if err != nil {
		return err
	}
	found, err := c.reader.get(ctx, object)
	if err != nil {
		return err
	}
	return c.catchUp(ctx, &head{object: object, read: found}, contents)
}

// catchUp rolls out those who do not run with what an object holds.
func (c *changer) catchUp(ctx context.Context, h *head, along map[configmap.Object]*configmap.Content) error {
	c.head, c.want, c.along = h, h.content, along
	return c.run(ctx)
}
