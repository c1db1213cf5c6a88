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
)

// waitFlags are those of all that waits for a rollout. The timeout is what the context has: here it is for the text alone.
type waitFlags struct {
	timeout  time.Duration
	logLines int64
	patience time.Duration
	// waitTerminated has success wait for the old pods, too.
	waitTerminated bool
	// leaves tells that what fails goes back.
	leaves bool
}

func addWaitTerminated(cmd *cobra.Command, wait *bool) {
	cmd.Flags().BoolVar(wait, "wait-terminated", false, "Wait until the old pods have ended, too.")
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

// addJudging adds the flags of all that judges pods.
func (f *waitFlags) addJudging(cmd *cobra.Command) {
	addLogLines(cmd, &f.logLines)
	f.addPatience(cmd)
}

func (f *waitFlags) addPatience(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.patience, "patience", 0,
		"The least time to give a pod that fails before it is ready, as 2m: a container that ends until its database answers, say.")
}

// tune gives an engine what the flags say of judging pods.
func (f *waitFlags) tune(engine *rollout.Engine) {
	engine.LogLines, engine.Patience, engine.WaitTerminated = f.logLines, f.patience, f.waitTerminated
}

// waiter waits as status does, without its lines.
func (f waitFlags) waiter(env *environment) (*statusRun, error) {
	quiet := *env
	quiet.Out = io.Discard
	run := &statusRun{statusFlags: &statusFlags{watch: true, waitFlags: f}, env: &quiet, settles: true}
	if err := run.connect(); err != nil {
		return nil, err
	}
	run.engine.WaitTerminated = f.waitTerminated
	return run, nil
}

// awaitAll waits until workloads are complete, all at the same time, and tells what became of each that is not. They are
// given as they were when they were last written.
func (env *environment) awaitAll(ctx context.Context, flags waitFlags, workloads []rollout.Workload) error {
	run, err := flags.waiter(env)
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

// canAwait refuses to wait for what is never complete by itself.
func canAwait(info *resource.Info) error {
	workload, is := info.Object.(rollout.Workload)
	if !is || rollout.PhaseOf(workload) != rollout.OnDelete || rollout.MayBeOpen(workload) {
		return nil
	}
	return fmt.Errorf("%s has strategy OnDelete: its pods are replaced only as you delete them, and --wait would wait for that; "+
		"leave it out, and %s tells how many have been", info.ObjectName(), commandOn("status", objectIn(info)))
}

// awaitComplete waits until the native controller has completed the Deployment, as it was written where that is given, and
// says why it does not.
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

// awaitStatus waits until a controller has completed another workload.
func (r *statusRun) awaitStatus(ctx context.Context, workload rollout.Workload) error {
	viewer, err := polymorphichelpers.StatusViewerFor(kindOf(workload).GroupKind())
	if err != nil {
		return err
	}
	t := &statusTarget{statusRun: r, viewer: viewer, workload: workload, object: objectOf(workload), awaited: rollout.TemplateOf(workload)}
	return t.follow(ctx)
}

// kindOf is the kind of a workload with its group and version.
func kindOf(workload rollout.Workload) schema.GroupVersionKind {
	return appsv1.SchemeGroupVersion.WithKind(rollout.KindOf(workload))
}

// objectOf is how a workload is named as JSON.
func objectOf(workload rollout.Workload) printers.Object {
	kind := kindOf(workload)
	return printers.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: workload.GetNamespace(), Name: workload.GetName()}
}

// objectNamed is the same of what is known by its kind only.
func objectNamed(kind string, object runtime.Object) printers.Object {
	named := printers.Object{Kind: kind}
	if o, is := object.(metav1.Object); is {
		named.Namespace, named.Name = o.GetNamespace(), o.GetName()
	}
	return named
}

// objectIn is the same of an object that need not be a workload.
func objectIn(info *resource.Info) printers.Object {
	kind := info.Mapping.GroupVersionKind
	return printers.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: info.Namespace, Name: info.Name}
}

// unblock deletes pods of the revision that was left where a StatefulSet would wait for them, perhaps for ever. The
// rollback is made whether that succeeds or not. The status may be behind the pods: whoever knows no more than that looks
// at them wherever a rollout was under way.
func (env *environment) unblock(ctx context.Context, engine *rollout.Engine, left rollout.Workload) {
	set, is := left.(*appsv1.StatefulSet)
	if !is {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, observeTimeout, errUnobserved)
	defer cancel()
	err := engine.Unblock(ctx, set, func(pod *corev1.Pod) {
		_, _ = fmt.Fprintf(env.ErrOut, "pod %s deleted: it is of another revision and not ready, and statefulset %q would wait for it\n", pod.Name, set.Name)
	})
	if err != nil {
		env.tell("pods that statefulset %q in namespace %q may wait for in vain are not deleted: %v", set.Name, set.Namespace, err)
	}
}
