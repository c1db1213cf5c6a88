package wait

import (
	"context"
	"errors"
	"fmt"
	"sync"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// statusRun is one run of status.
type statusRun struct {
	*StatusFlags
	env *cli.Env
	// engine is nil if the first look is enough for all objects, and the output is not JSON.
	engine *rollout.Engine
	// pending holds the objects for which the first look is not enough.
	pending []*statusTarget
	found   bool
	// settles delays success if containers have ended before. status itself reports success as soon as kubectl does.
	settles bool

	// mu keeps the output about one object together.
	mu        sync.Mutex
	toldBlind bool
}

// run looks at every object once, which is enough for a finished one. Then it follows the others at the same time.
func (r *statusRun) run(ctx context.Context, objects resource.Visitor) error {
	if r.Output != "" {
		if err := r.connect(); err != nil {
			return err
		}
	}
	err := objects.Visit(func(info *resource.Info, err error) error {
		r.found = true
		if err != nil {
			return r.unread(info, err)
		}
		return r.glance(ctx, info)
	})
	if len(r.pending) > 0 {
		if err := r.follow(ctx); err != nil {
			return err
		}
	}
	if err == nil && !r.found {
		return r.env.NoneFound()
	}
	return settled(r.Located(r.env, err))
}

// glance judges an object by the object alone. For an object to follow, it returns a placeholder error. The result of
// following replaces that later, so that errors keep the order of the objects.
func (r *statusRun) glance(ctx context.Context, info *resource.Info) error {
	kind := info.ResourceMapping().GroupVersionKind
	viewer, err := polymorphichelpers.StatusViewerFor(kind.GroupKind())
	if err != nil {
		return r.unread(info, cli.More(err, "; "+cli.OnlyWorkloads))
	}
	w, ok := info.Object.(workload.Object)
	if !ok || !workload.Is(w) {
		return r.unread(info, fmt.Errorf("%s of %s cannot be followed; name it as %s.apps",
			cli.ObjectIn(info).InNamespace(), kind.GroupVersion(), info.Mapping.Resource.Resource))
	}
	t := &statusTarget{statusRun: r, viewer: viewer, workload: w, object: cli.ObjectIn(info)}
	if view := rollout.Glance(w); !t.takesMore(ctx, view) {
		if enough, err := t.see(ctx, view); enough || err != nil {
			return err
		}
	}
	r.pending = append(r.pending, t)
	return &pendingError{t}
}

// takesMore reports whether the object's pods are needed to judge it. A single look that only prints kubectl's line needs
// no more than kubectl's own request.
func (t *statusTarget) takesMore(ctx context.Context, view *rollout.View) bool {
	switch view.Phase {
	case workload.PhasePaused, workload.PhaseFailed:
		return t.judges() || t.mayBeOpen(ctx)
	case workload.Progressing:
		return t.judges() && !t.Watch || t.mayBeOpen(ctx)
	case workload.Partitioned:
		return t.judges() || t.mayBeOpen(ctx) // no status says which pods run which revision
	}
	return t.mayBeOpen(ctx)
}

// mayBeOpen reports whether a stepwise rollout may be open on the object. If the object looks like that, its ReplicaSets
// mostly show that none is: a Deployment may have the progress deadline of an open rollout for good.
func (t *statusTarget) mayBeOpen(ctx context.Context) bool {
	if !rollout.MayBeOpen(t.workload) {
		return false
	}
	return t.connect() != nil || !errors.Is(t.engine.OpenedOn(ctx, t.workload), rollout.ErrNoRollout)
}

// judges reports whether the command says more about an object than kubectl's line.
func (t *statusTarget) judges() bool {
	return t.Watch || t.ExitCode || t.Output != "" || t.env.InActions()
}

// follow waits for all pending objects under one deadline.
func (r *statusRun) follow(ctx context.Context) error {
	if err := r.connect(); err != nil {
		return err
	}
	ctx, cancel := r.env.WithTimeout(ctx, r.Timeout)
	defer cancel()
	var following sync.WaitGroup
	for _, t := range r.pending {
		following.Go(func() { t.err = t.follow(ctx) })
	}
	following.Wait()
	return nil
}

func (r *statusRun) connect() (err error) {
	if r.engine != nil {
		return nil
	}
	if r.engine, err = r.env.Engine(cli.DefaultFieldManager, r.warn); err == nil {
		r.Tune(r.engine)
		r.engine.Wrote, r.engine.Once = r.settles, !r.Watch
	}
	return err
}

// pendingError is a placeholder for the error that following an object returns in the end.
type pendingError struct{ target *statusTarget }

func (e *pendingError) Error() string {
	return fmt.Sprintf("%q is still followed", e.target.object.Name)
}

// settled replaces the placeholders by the results of following, and chooses the exit code.
func settled(err error) error {
	var codes []int
	var interrupts cli.OneInterrupt
	var resolve func(error) error
	resolve = func(err error) error {
		var several utilerrors.Aggregate
		var pending *pendingError
		var status *cli.Exit
		switch {
		case err == nil:
			return nil
		case errors.As(err, &several):
			kept := make([]error, 0, len(several.Errors()))
			for _, one := range several.Errors() {
				kept = append(kept, resolve(one))
			}
			return utilerrors.NewAggregate(kept)
		case errors.As(err, &pending):
			return resolve(pending.target.err)
		}
		codes = append(codes, cli.CodeOf(err))
		switch {
		case interrupts.Joins(err):
			return nil
		case errors.As(err, &status):
			return status.Err
		}
		return err
	}
	if err = resolve(err); err == nil {
		return nil
	}
	return &cli.Exit{Code: gravest(codes), Err: err}
}

// gravest returns the exit code for several objects, as the help of status describes.
func gravest(codes []int) int {
	for _, code := range []int{
		cli.ExitTerminated, cli.ExitInterrupt, cli.ExitHangup, cli.ExitStanding, cli.ExitRolledBack,
		cli.ExitError, cli.ExitPaused, cli.ExitTimeout, cli.ExitUnfinished,
	} {
		for _, has := range codes {
			if has == code {
				return code
			}
		}
	}
	return cli.ExitError
}
