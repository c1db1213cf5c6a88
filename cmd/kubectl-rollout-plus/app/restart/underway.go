package restart

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// pileTimeout is how long a restart waits for the end of another rollout.
const pileTimeout = 5 * time.Second

var errStillUnderWay = errors.New("the rollout is still under way")

// refuseToPile returns an error if a rollout of another version is under way and does not end soon.
func refuseToPile(ctx context.Context, env *cli.Env, info *resource.Info) error {
	engine, err := env.Engine(cli.DefaultFieldManager, nil)
	if err != nil {
		return err
	}
	if cli.MayBeOpen(info) {
		if err := cli.OpenedIn(ctx, engine, info); !errors.Is(err, rollout.ErrNoRollout) {
			if err != nil {
				return err
			}
			object := cli.ObjectIn(info)
			return fmt.Errorf("a stepwise rollout of %s is under way; %s goes on, %s goes back, and --force restarts it all the same",
				object, cli.CommandOn("resume", object), cli.CommandOn("abort", object))
		}
	}
	engine.Once = true // does not wait for a rollout that has failed before
	busy, err := history.UnderWay(ctx, engine.Client, info.Object)
	if err != nil || !busy {
		return err
	}
	workload, is := info.Object.(workload.Object)
	if !is {
		return nil
	}
	return waitForEnd(ctx, env, engine, workload)
}

// Forcible adds a hint to --force to an error about a missing right to read.
func Forcible(err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w; --force restarts without looking", err)
	}
	return err
}

// waitForEnd waits until a rollout has ended. It stops at a failure, and after pileTimeout.
func waitForEnd(ctx context.Context, env *cli.Env, engine *rollout.Engine, workload workload.Object) error {
	name, object := cli.NameOf(workload), cli.ObjectOf(workload)
	_, _ = fmt.Fprintf(env.ErrOut, "a rollout of %s is under way; waiting up to %s for its end\n", name, pileTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, pileTimeout, errStillUnderWay)
	defer cancel()
	var failed *rollout.Finding
	var busy bool
	err := engine.Follow(ctx, workload, nil, func(view *rollout.View) (bool, error) {
		var err error
		if busy, err = history.UnderWay(ctx, engine.Client, view.Workload); err != nil || !busy {
			return true, err
		}
		failed = view.Finding
		return failed != nil, nil
	})
	switch {
	case failed != nil && busy:
		env.Annotate([]rollout.Finding{*failed})
		return fmt.Errorf("a rollout of %s has failed: %s; go back with %s, or restart it all the same with --force",
			name, failed, cli.CommandOn("undo", object))
	case err != nil && errors.Is(context.Cause(ctx), errStillUnderWay):
		return fmt.Errorf("a rollout of %s is under way; wait for it with %s, or restart it all the same with --force", name, cli.CommandOn("status", object))
	}
	return err
}
