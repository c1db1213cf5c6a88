// Package wait waits for the end of rollouts, and prints their status.
package wait

import (
	"context"
	"fmt"
	"io"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rollback"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// waiter returns a run that waits as status does, but prints no status lines.
func waiter(env *cli.Env, f cli.WaitFlags) (*statusRun, error) {
	quiet := *env
	quiet.Out = io.Discard
	run := &statusRun{StatusFlags: &StatusFlags{Watch: true, WaitFlags: f}, env: &quiet, settles: true}
	if err := run.connect(); err != nil {
		return nil, err
	}
	run.engine.WaitTerminated = f.WaitTerminated
	return run, nil
}

// AwaitOne waits until a Deployment is complete. It returns an error if that fails.
func AwaitOne(ctx context.Context, env *cli.Env, flags cli.WaitFlags, key types.NamespacedName) error {
	run, err := waiter(env, flags)
	if err != nil {
		return err
	}
	ctx, cancel := env.WithTimeout(ctx, flags.Timeout)
	defer cancel()
	return run.awaitComplete(ctx, key, nil)
}

// AwaitAll waits for all workloads at the same time until they are complete. It returns an error for each that is not. It
// expects the workloads as they were last written.
func AwaitAll(ctx context.Context, env *cli.Env, flags cli.WaitFlags, workloads []workload.Object) error {
	run, err := waiter(env, flags)
	if err != nil {
		return err
	}
	failures := make([]error, len(workloads))
	var waiting sync.WaitGroup
	for i, workload := range workloads {
		waiting.Go(func() {
			if d, is := workload.(*appsv1.Deployment); is {
				failures[i] = run.awaitComplete(ctx, cli.KeyOf(d), d)
			} else {
				failures[i] = run.awaitStatus(ctx, workload)
			}
		})
	}
	waiting.Wait()
	return cli.Together(failures)
}

// CanAwait returns an error for an object that never becomes complete by itself.
func CanAwait(info *resource.Info) error {
	w, is := info.Object.(workload.Object)
	if !is || workload.PhaseOf(w) != workload.OnDelete || rollout.MayBeOpen(w) {
		return nil
	}
	return fmt.Errorf("%s has strategy OnDelete: its pods are replaced only as you delete them, and --wait would wait for that; "+
		"leave it out, and %s tells how many have been", info.ObjectName(), cli.CommandOn("status", cli.ObjectIn(info)))
}

// awaitComplete waits until the Deployment controller has completed the Deployment, or returns why it does not. If written
// is not nil, it waits for that state of the Deployment.
func (r *statusRun) awaitComplete(ctx context.Context, key types.NamespacedName, written *appsv1.Deployment) error {
	object := printers.Deployment(key.Namespace, key.Name)
	result, err := r.engine.Await(ctx, key, written)
	if err != nil {
		return cli.WaitedFor(cli.CutShort(ctx, err, "while waiting for "+object.String()), object)
	}
	if result.Finding != nil {
		r.blame(result.Finding, true, result.Revision)
	}
	for _, note := range result.Notes {
		r.note(object.String() + ": " + note)
	}
	if result.Outcome == rollout.TimedOut && !result.Standing {
		result.Message += ": --timeout passed, and it is not complete yet; " + cli.CommandOn("status", object) + " waits on"
	}
	if result.Outcome == rollout.Detached && result.Record == nil {
		return cli.WaitedFor(context.Cause(ctx), object)
	}
	return cli.ResultError(object, result, context.Cause(ctx))
}

// awaitStatus waits until the controller of a StatefulSet or DaemonSet has completed it.
func (r *statusRun) awaitStatus(ctx context.Context, w workload.Object) error {
	viewer, err := polymorphichelpers.StatusViewerFor(cli.KindOf(w).GroupKind())
	if err != nil {
		return err
	}
	t := &statusTarget{statusRun: r, viewer: viewer, workload: w, object: cli.ObjectOf(w), awaited: workload.TemplateOf(w)}
	return t.follow(ctx)
}

// Unblock deletes pods of the revision just left if a StatefulSet would wait for them, perhaps for ever. A failure only
// prints a message, since the rollback is made already. The status may lag behind the pods, so a caller that knows only the
// status calls unblock whenever a rollout was under way.
func Unblock(ctx context.Context, env *cli.Env, engine *rollout.Engine, left workload.Object) {
	set, is := left.(*appsv1.StatefulSet)
	if !is {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, rollback.ObserveTimeout, rollback.ErrUnobserved)
	defer cancel()
	err := engine.Unblock(ctx, set, func(pod *corev1.Pod) {
		_, _ = fmt.Fprintf(env.ErrOut, "pod %s deleted: it is of another revision and not ready, and statefulset %q would wait for it\n", pod.Name, set.Name)
	})
	if err != nil {
		env.Tell("pods that statefulset %q in namespace %q may wait for in vain are not deleted: %v", set.Name, set.Namespace, err)
	}
}
