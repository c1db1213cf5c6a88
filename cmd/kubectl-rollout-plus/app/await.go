package app

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rollback"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// waitFlags are the flags of all commands that wait for a rollout. The context enforces the timeout; the field here is only
// for messages.
type waitFlags struct {
	timeout  time.Duration
	logLines int64
	patience time.Duration
	// waitTerminated makes success wait for the end of the old pods, too.
	waitTerminated bool
	// leaves is true if a failed workload is rolled back.
	leaves bool
}

func addWaitTerminated(cmd *cobra.Command, wait *bool) {
	cmd.Flags().BoolVar(wait, "wait-terminated", false, "Also wait until the old pods have ended.")
}

func (f waitFlags) validate() error {
	if f.timeout < 0 {
		return flagError("timeout", f.timeout.String(), errNegative)
	}
	if f.patience < 0 {
		return flagError("patience", f.patience.String(), errNegative)
	}
	return checkLogLines(f.logLines)
}

// addJudging adds the flags of all commands that judge pods.
func (f *waitFlags) addJudging(cmd *cobra.Command) {
	addLogLines(cmd, &f.logLines)
	f.addPatience(cmd)
}

func (f *waitFlags) addPatience(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.patience, "patience", 0,
		"The least time to give pods that fail before they are ready, such as 2m while a database starts.")
}

// tune applies the flags for judging pods to an engine.
func (f *waitFlags) tune(engine *rollout.Engine) {
	engine.LogLines, engine.Patience, engine.WaitTerminated = f.logLines, f.patience, f.waitTerminated
}

// waiter returns a run that waits as status does, but prints no status lines.
func waiter(env *environment, f waitFlags) (*statusRun, error) {
	quiet := *env
	quiet.Out = io.Discard
	run := &statusRun{statusFlags: &statusFlags{watch: true, waitFlags: f}, env: &quiet, settles: true}
	if err := run.connect(); err != nil {
		return nil, err
	}
	run.engine.WaitTerminated = f.waitTerminated
	return run, nil
}

// awaitAll waits for all workloads at the same time until they are complete. It returns an error for each that is not. It
// expects the workloads as they were last written.
func awaitAll(ctx context.Context, env *environment, flags waitFlags, workloads []workload.Object) error {
	run, err := waiter(env, flags)
	if err != nil {
		return err
	}
	failures := make([]error, len(workloads))
	var waiting sync.WaitGroup
	for i, workload := range workloads {
		waiting.Go(func() {
			if d, is := workload.(*appsv1.Deployment); is {
				failures[i] = run.awaitComplete(ctx, keyOf(d), d)
			} else {
				failures[i] = run.awaitStatus(ctx, workload)
			}
		})
	}
	waiting.Wait()
	return together(failures)
}

// canAwait returns an error for an object that never becomes complete by itself.
func canAwait(info *resource.Info) error {
	w, is := info.Object.(workload.Object)
	if !is || workload.PhaseOf(w) != workload.OnDelete || rollout.MayBeOpen(w) {
		return nil
	}
	return fmt.Errorf("%s has strategy OnDelete: its pods are replaced only as you delete them, and --wait would wait for that; "+
		"leave it out, and %s tells how many have been", info.ObjectName(), commandOn("status", objectIn(info)))
}

// awaitComplete waits until the Deployment controller has completed the Deployment, or returns why it does not. If written
// is not nil, it waits for that state of the Deployment.
func (r *statusRun) awaitComplete(ctx context.Context, key types.NamespacedName, written *appsv1.Deployment) error {
	object := printers.Deployment(key.Namespace, key.Name)
	result, err := r.engine.Await(ctx, key, written)
	if err != nil {
		return waitedFor(cutShort(ctx, err, "while waiting for "+object.String()), object)
	}
	if result.Finding != nil {
		r.blame(result.Finding, true, result.Revision)
	}
	for _, note := range result.Notes {
		r.note(object.String() + ": " + note)
	}
	if result.Outcome == rollout.TimedOut && !result.Standing {
		result.Message += ": --timeout passed, and it is not complete yet; " + commandOn("status", object) + " waits on"
	}
	if result.Outcome == rollout.Detached && result.Record == nil {
		return waitedFor(context.Cause(ctx), object)
	}
	return resultError(object, result, context.Cause(ctx))
}

// awaitStatus waits until the controller of a StatefulSet or DaemonSet has completed it.
func (r *statusRun) awaitStatus(ctx context.Context, w workload.Object) error {
	viewer, err := polymorphichelpers.StatusViewerFor(kindOf(w).GroupKind())
	if err != nil {
		return err
	}
	t := &statusTarget{statusRun: r, viewer: viewer, workload: w, object: objectOf(w), awaited: workload.TemplateOf(w)}
	return t.follow(ctx)
}

// kindOf returns the kind of a workload with its group and version.
func kindOf(w workload.Object) schema.GroupVersionKind {
	return appsv1.SchemeGroupVersion.WithKind(workload.KindOf(w))
}

// objectOf returns the name of a workload for JSON output.
func objectOf(workload workload.Object) printers.Object {
	kind := kindOf(workload)
	return printers.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: workload.GetNamespace(), Name: workload.GetName()}
}

// objectNamed does the same for an object of which only the kind is known. It sets no API version.
func objectNamed(kind string, object runtime.Object) printers.Object {
	named := printers.Object{Kind: kind}
	if o, is := object.(metav1.Object); is {
		named.Namespace, named.Name = o.GetNamespace(), o.GetName()
	}
	return named
}

// objectIn does the same for an object that need not be a workload.
func objectIn(info *resource.Info) printers.Object {
	kind := info.Mapping.GroupVersionKind
	return printers.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: info.Namespace, Name: info.Name}
}

// unblock deletes pods of the revision just left if a StatefulSet would wait for them, perhaps for ever. A failure only
// prints a message, since the rollback is made already. The status may lag behind the pods, so a caller that knows only the
// status calls unblock whenever a rollout was under way.
func unblock(ctx context.Context, env *environment, engine *rollout.Engine, left workload.Object) {
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
		env.tell("pods that statefulset %q in namespace %q may wait for in vain are not deleted: %v", set.Name, set.Namespace, err)
	}
}

// nameOf returns a workload's name as people type it, such as deployment/web.
func nameOf(w workload.Object) string { return workload.NameOf(w) }

// resultName returns a workload's name as kubectl prints it in results.
func resultName(w workload.Object) string { return objectOf(w).ResultName() }
